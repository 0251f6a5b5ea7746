//! The last snapshot of a store, which AWS takes when the store is deleted. Its name tells this store from every other and
//! is the same for every try, so that one that failed, or is still being made, stands in the way of the next.

use crate::error::{Class, Fault, Result};

/// What it is called that a last snapshot is being made, or made again: no error of AWS's.
pub(super) const TAKING: &str = "TakingTheLastSnapshot";
/// How many names are tried. Each that is taken is so by a good snapshot of a store that was not deleted after all.
const NAMES: u32 = 9;

/// A snapshot that has the name that a last one was to have.
pub(super) struct Taken {
    /// Its status, in AWS's word.
    pub(super) status: String,
    /// Whether it is of this very store.
    pub(super) ours: bool,
}

/// How one sort of snapshots is looked at and removed.
pub(super) trait Snapshots {
    /// The snapshot of that name.
    async fn find(&self, name: &str) -> Result<Option<Taken>>;
    /// Asks AWS to remove it. Absent is success.
    async fn remove(&self, name: &str) -> Result<()>;
}

/// Asks AWS to delete a store with a last snapshot of this name or, where that is taken for good, of the same with a number;
/// `ask` makes the call with the name.
///
/// # Errors
/// Of class busy where a snapshot must end, or be removed, before the call is made again.
pub(super) async fn delete_with(
    snapshots: &impl Snapshots,
    first: &str,
    ask: impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    for number in 1..=NAMES {
        let name = numbered(first, number);
        match ask(&name).await {
            Err(fault) if fault.class == Class::Exists => make_way(snapshots, &name).await?,
            answered => return answered,
        }
    }
    Err(Fault::invalid(format!("there are {NAMES} snapshots {first} already; delete one")))
}

fn numbered(first: &str, number: u32) -> String {
    if number == 1 { first.to_owned() } else { format!("{first}-{number}") }
}

/// Makes the name free where the snapshot that has it is of no use. A good one keeps it, and so does one of another store:
/// then there is nothing to wait for, and the next name is to be tried.
async fn make_way(snapshots: &impl Snapshots, name: &str) -> Result<()> {
    let busy = |text: String| Err(Fault::new(Class::Busy, TAKING, text));
    let Some(taken) = snapshots.find(name).await? else {
        return busy(format!("the name of its last snapshot, {name}, is about to be free"));
    };
    match taken.status.as_str() {
        "failed" if taken.ours => {
            snapshots.remove(name).await?;
            busy(format!("its last snapshot {name} failed and is asked for again"))
        }
        "available" | "failed" => Ok(()),
        status => busy(format!("its last snapshot {name} is {status}")),
    }
}

/// What of a store of this name stays when it is deleted: a last snapshot, and what AWS copied by itself.
pub(super) fn remains(name: &str, last: bool, kept_days: Option<i32>) -> Option<String> {
    let last = last.then(|| format!("a last snapshot {name}-final-…, until it is deleted"));
    let kept = kept_days.map(|days| format!("its automated backups, for {days} days"));
    let both: Vec<String> = last.into_iter().chain(kept).collect();
    (!both.is_empty()).then(|| format!("{}; its key stays as long", both.join(", and ")))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_stays_is_told_with_how_long_it_does() {
        assert_eq!(remains("db", false, None), None);
        assert_eq!(
            remains("db", true, Some(7)).unwrap(),
            "a last snapshot db-final-…, until it is deleted, and its automated backups, for 7 days; its key stays as long"
        );
        assert_eq!(
            remains("db", false, Some(14)).unwrap(),
            "its automated backups, for 14 days; its key stays as long"
        );
    }

    /// The snapshots there are, each with its status and whether it is ours.
    #[derive(Default)]
    struct Shelf(RefCell<BTreeMap<String, (&'static str, bool)>>);

    impl Snapshots for Shelf {
        async fn find(&self, name: &str) -> Result<Option<Taken>> {
            let taken = |(status, ours): &(&str, bool)| Taken { status: (*status).to_owned(), ours: *ours };
            Ok(self.0.borrow().get(name).map(taken))
        }

        async fn remove(&self, name: &str) -> Result<()> {
            self.0.borrow_mut().remove(name);
            Ok(())
        }
    }

    impl Shelf {
        /// What comes of a deletion, and the names there are afterwards.
        async fn delete(&self) -> (std::result::Result<(), String>, Vec<String>) {
            let ask = async |name: &str| {
                let known = self.0.borrow().contains_key(name);
                if known {
                    return Err(Fault::new(Class::Exists, "SnapshotAlreadyExists", name));
                }
                self.0.borrow_mut().insert(name.to_owned(), ("creating", true));
                Ok(())
            };
            let ended = delete_with(self, "db-final-1", ask).await.map_err(|fault| fault.message);
            (ended, self.0.borrow().keys().cloned().collect())
        }
    }

    #[tokio::test]
    async fn a_good_one_is_let_be_a_failed_one_of_ours_goes_and_one_under_way_is_waited_for() {
        let after = async |status, ours| {
            let shelf = Shelf::default();
            shelf.0.borrow_mut().insert("db-final-1".to_owned(), (status, ours));
            shelf.delete().await
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let both = names(&["db-final-1", "db-final-1-2"]);
        assert_eq!(Shelf::default().delete().await, (Ok(()), names(&["db-final-1"])));
        assert_eq!(after("available", true).await, (Ok(()), both.clone()));
        assert_eq!(after("failed", false).await, (Ok(()), both));
        let again = Err("its last snapshot db-final-1 failed and is asked for again".to_owned());
        assert_eq!(after("failed", true).await, (again, names(&[])));
        let waits = Err("its last snapshot db-final-1 is creating".to_owned());
        assert_eq!(after("creating", true).await, (waits, names(&["db-final-1"])));
    }
}
