//! The appointment as a state machine over the steps events report.

use crate::action::Action;

/// A step that changes where an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the action of its name")]
pub enum Step {
    Book,
    Reschedule,
    Confirm,
    Cancel,
    Attend,
    NoShow,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 6] =
        [Self::Book, Self::Reschedule, Self::Confirm, Self::Cancel, Self::Attend, Self::NoShow];

    /// The step an action is, if it is one.
    #[must_use]
    pub const fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Book => Self::Book,
            Action::Reschedule => Self::Reschedule,
            Action::Confirm => Self::Confirm,
            Action::Cancel => Self::Cancel,
            Action::Attend => Self::Attend,
            Action::NoShow => Self::NoShow,
            _ => return None,
        })
    }

    /// The word used in tables: the action's own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Reschedule => "reschedule",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Attend => "attend",
            Self::NoShow => "no_show",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }

    /// Where an appointment stands after this step.
    #[must_use]
    pub const fn leads_to(self) -> State {
        match self {
            Self::Book | Self::Reschedule | Self::Confirm => State::Booked,
            Self::Cancel => State::Cancelled,
            Self::Attend => State::Attended,
            Self::NoShow => State::NoShow,
        }
    }

    /// Whether a salon's calendar allows this step from `state`; `None` is an appointment not heard of yet.
    ///
    /// The last step decides where an appointment stands even when it is impossible, because the calendar may have
    /// been corrected by hand; the answer here only flags it for a person to look at.
    #[must_use]
    pub const fn is_possible_from(self, state: Option<State>) -> bool {
        match (state, self) {
            // A booking may follow anything but a visit; a first report of a later step is a gap, not a fault.
            (None | Some(State::Booked), _) | (Some(State::Cancelled), Self::Book) => true,
            // A visit marked wrongly is commonly corrected between these two.
            (Some(State::NoShow), Self::Attend | Self::Reschedule | Self::Book) => true,
            (Some(State::Attended), Self::NoShow) => true,
            (Some(State::Cancelled | State::NoShow | State::Attended), _) => false,
        }
    }
}

/// Where an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The visit is to come, or nobody said how it ended.
    Booked,
    /// It will not take place.
    Cancelled,
    /// The client came.
    Attended,
    /// The client did not come.
    NoShow,
}

impl State {
    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::Attended => "attended",
            Self::NoShow => "no_show",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_can_be_moved_confirmed_and_kept() {
        let mut state = None;
        for step in [Step::Book, Step::Reschedule, Step::Confirm, Step::Attend] {
            assert!(step.is_possible_from(state), "{step:?} from {state:?}");
            state = Some(step.leads_to());
        }
        assert_eq!(state, Some(State::Attended));
    }

    #[test]
    fn a_visit_that_took_place_cannot_be_cancelled_moved_or_booked_again() {
        for step in [Step::Cancel, Step::Reschedule, Step::Book, Step::Confirm] {
            assert!(!step.is_possible_from(Some(State::Attended)), "{step:?}");
        }
    }

    #[test]
    fn a_cancelled_booking_can_only_be_booked_again() {
        let possible: Vec<_> =
            Step::ALL.into_iter().filter(|step| step.is_possible_from(Some(State::Cancelled))).collect();
        assert_eq!(possible, [Step::Book]);
    }
}
