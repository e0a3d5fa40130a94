//! The owner's figures: what conversations by channel became.

use crate::channel::Channel;

/// What became of the conversations that began at one channel within a period.
///
/// Every figure counts sessions or appointments, never events, so that a resend changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFigures {
    /// The door the session began at.
    pub channel: Channel,
    /// Conversations whose first event lies in the period.
    pub sessions: SessionFigures,
    /// Appointments first heard of in the period.
    pub appointments: AppointmentFigures,
}

/// Sessions, and how many of them have each mark at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionFigures {
    /// All of them.
    pub total: u64,
    /// Those with a lead.
    pub with_lead: u64,
    /// Those with a booking.
    pub booked: u64,
    /// Those with a visit.
    pub visited: u64,
    /// Those in which the client said no.
    pub refused: u64,
    /// Those in which the assistant did not understand.
    pub with_fallback: u64,
    /// Those in which a human took over.
    pub handed_off: u64,
}

/// Appointments, by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppointmentFigures {
    /// Visit to come, or nobody said how it ended: never counted as visited.
    pub booked: u64,
    /// The client came.
    pub attended: u64,
    /// The client did not come.
    pub no_show: u64,
    /// Called off.
    pub cancelled: u64,
}

/// A share, with what it is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub x: u64,
    /// Out of how many.
    pub n: u64,
}

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// The share, 0 to 1; `None` out of nothing.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.n > 0).then(|| to_float(self.x) / to_float(self.n))
    }

    /// The 95 % Wilson score interval of the share (Wilson 1927); `None` out of nothing.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        let p = self.value()?;
        let n = to_float(self.n);
        let z2 = Z * Z;
        let centre = p + z2 / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z2 / n;
        Some((((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn to_float(count: u64) -> f64 {
    count as f64
}

impl ChannelFigures {
    /// Conversations that became a visit.
    #[must_use]
    pub fn conversion(&self) -> Rate {
        Rate { x: self.sessions.visited, n: self.sessions.total }
    }

    /// Missed visits among those that were due: `no_show / (attended + no_show)`.
    #[must_use]
    pub fn no_show_rate(&self) -> Rate {
        let AppointmentFigures { attended, no_show, .. } = self.appointments;
        Rate { x: no_show, n: attended + no_show }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wilson_interval_agrees_with_statsmodels() {
        // proportion_confint(56, 70, method='wilson') and (0, 10): values computed with statsmodels 0.14.
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let (low, high) = Rate { x: 0, n: 10 }.interval().unwrap();
        assert!(close(low, 0.0) && (high - 0.277_532_799).abs() < 1e-8, "{low} {high}");
        assert_eq!(Rate { x: 0, n: 0 }.interval(), None);
    }

    #[test]
    fn a_no_show_rate_leaves_out_what_is_still_to_come() {
        let figures = ChannelFigures {
            channel: Channel::Telegram,
            sessions: SessionFigures::default(),
            appointments: AppointmentFigures { booked: 100, attended: 3, no_show: 1, cancelled: 50 },
        };
        assert_eq!(figures.no_show_rate(), Rate { x: 1, n: 4 });
    }
}
