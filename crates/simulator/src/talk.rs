//! One conversation while it is being told: who speaks next, and when.

use domain::action::{Action, Actor};

use crate::calendar::DAY;
use crate::fact::{Deed, Report, Scenario, ThreadId, Turn};
use crate::people::Client;
use crate::world::{Pace, World};

/// A place in time in a conversation. Every call says one thing and moves on.
pub(crate) struct Talk<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) thread: ThreadId,
    pub(crate) now: i64,
    /// The branch of the assistant that leads the conversation.
    pub(crate) scenario: Scenario,
    /// The lead, once there is one.
    pub(crate) lead: Option<u64>,
}

impl<'w> Talk<'w> {
    /// A conversation goes on at an instant.
    pub(crate) fn new(world: &'w mut World, thread: ThreadId, now: i64, branch: &'static str) -> Self {
        let scenario = Scenario { id: branch, version: edition(branch, now) };
        Self { world, thread, now, scenario, lead: None }
    }

    /// The person on the other end.
    pub(crate) fn client(&self) -> &Client {
        self.world.client_of(self.thread)
    }

    /// The client writes.
    pub(crate) fn says(&mut self, text: impl Into<String>) {
        self.client_turn(Deed::Says(text.into()));
    }

    /// The client presses a button.
    pub(crate) fn presses(&mut self, label: impl Into<String>, data: &'static str) {
        self.client_turn(Deed::Presses { label: label.into(), data });
    }

    /// The client gives the phone number.
    pub(crate) fn shares_contact(&mut self) {
        let client = self.world.client_of(self.thread).clone();
        let typed = client.typed_phone(&mut self.world.dice);
        self.client_turn(Deed::SharesContact { typed });
    }

    /// The assistant writes.
    pub(crate) fn answers(&mut self, text: impl Into<String>) {
        self.reports(Report::assistant(Action::Message).text(text));
    }

    /// The assistant writes, and names what the client wants.
    pub(crate) fn answers_to(&mut self, intent: &'static str, text: impl Into<String>) {
        self.reports(Report::assistant(Action::Message).intent(intent).text(text));
    }

    /// A person of the salon writes.
    pub(crate) fn staff_writes(&mut self, text: impl Into<String>) {
        let (low, high) = if self.world.pace == Pace::Brisk { (2, 5) } else { (60, 600) };
        self.now += i64::from(self.world.dice.between(low, high));
        self.tell(Report::new(Actor::Staff, Action::Message).text(text));
    }

    /// The assistant does something, a moment after what was before.
    pub(crate) fn reports(&mut self, mut report: Report) {
        let dice = &mut self.world.dice;
        let unsure = matches!(report.action, Action::Fallback | Action::Handoff);
        let confidence = if unsure { dice.between(18, 45) } else { dice.between(78, 99) };
        let words = report.text.as_ref().map_or(8, |text| text.chars().count() / 3);
        let turn = Turn {
            confidence_percent: confidence,
            response_time_ms: dice.between(640, 3900),
            input_tokens: dice.between(380, 1900),
            output_tokens: u32::try_from(words).unwrap_or(0) + dice.between(4, 30),
        };
        self.now += i64::from(turn.response_time_ms / 1000) + 1;
        report.turn = Some(turn);
        report.scenario = Some(self.scenario);
        self.tell(report);
    }

    /// Somebody tells something at this very moment.
    pub(crate) fn tell(&mut self, mut report: Report) {
        report.lead = report.lead.or(self.lead);
        self.now = self.world.tell(self.thread, self.now, Deed::Report(Box::new(report)));
    }

    /// Time passes.
    pub(crate) fn pause(&mut self, low: u32, high: u32) {
        self.now += i64::from(self.world.dice.between(low, high));
    }

    fn client_turn(&mut self, deed: Deed) {
        let (low, high) = if self.world.pace == Pace::Brisk { (2, 6) } else { (8, 140) };
        self.pause(low, high);
        self.now = self.world.tell(self.thread, self.now, deed);
    }
}

/// Which edition of a branch was live: a new one each 30 days, so that editions can be compared.
fn edition(branch: &str, now: i64) -> &'static str {
    const BOOKING: [&str; 3] = ["3.0", "3.1", "3.2"];
    const OTHER: [&str; 3] = ["1.4", "1.5", "2.0"];
    let turn = usize::try_from((now / (30 * DAY)).rem_euclid(3)).unwrap_or(0);
    if branch == "booking" { BOOKING[turn] } else { OTHER[turn] }
}
