//! What of its data a change in place loses: what a shorter retention removes.

/// A part of an object's data that a change in place loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What is lost, as the object of a sentence: `records older than 24 hours`.
    pub what: String,
    /// What is live is what AWS gives to who chooses nothing, as a log group that keeps all: nobody meant to keep it. Where
    /// the object is new, the change is a part of making it.
    pub unchosen: bool,
}

impl Loss {
    /// What something loses that is kept for `want` of these units from now on, if so far it was kept for longer. A `want`
    /// of none: `all` of it.
    pub fn of_shorter(things: &str, units: &str, want: i32, live: i32) -> Option<Loss> {
        let what = match want {
            0 => format!("all {things}"),
            1 => format!("{things} older than one {}", units.trim_end_matches('s')),
            _ => format!("{things} older than {want} {units}"),
        };
        (want < live).then_some(Loss { what, unchosen: false })
    }

    /// The same where `None` keeps it for ever, as AWS does unless told otherwise.
    pub fn of_shorter_than_ever(things: &str, units: &str, want: Option<i32>, live: Option<i32>) -> Option<Loss> {
        match live {
            Some(live) => Loss::of_shorter(things, units, want?, live),
            None => Loss::of_shorter(things, units, want?, i32::MAX).map(|loss| Loss { unchosen: true, ..loss }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_as_long_or_longer_loses_nothing() {
        let lost = |want, live| Loss::of_shorter("records", "hours", want, live).map(|loss| loss.what);
        assert_eq!(lost(24, 168).as_deref(), Some("records older than 24 hours"));
        assert_eq!(lost(1, 2).as_deref(), Some("records older than one hour"));
        assert_eq!(lost(0, 5).as_deref(), Some("all records"));
        assert_eq!((lost(24, 24), lost(168, 24)), (None, None));
    }

    #[test]
    fn what_is_kept_for_ever_was_meant_to_be_by_nobody() {
        let lost = |want, live| {
            let loss = Loss::of_shorter_than_ever("logs", "days", want, live);
            loss.map(|loss| (loss.what, loss.unchosen))
        };
        assert_eq!(lost(Some(30), None), Some(("logs older than 30 days".to_owned(), true)));
        assert_eq!(lost(Some(30), Some(60)), Some(("logs older than 30 days".to_owned(), false)));
        assert_eq!((lost(None, None), lost(None, Some(30)), lost(Some(30), Some(30))), (None, None, None));
    }
}
