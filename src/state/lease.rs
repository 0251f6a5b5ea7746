//! For how long the lock is certainly ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use super::LEASE;

/// How long before a lease is over nothing is changed any more: a call that leaves now may take effect only then.
pub const MARGIN: Duration = Duration::from_secs(10);

/// The clock that runs on while the machine sleeps, as the clocks of others do: clock_gettime(2).
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// Where there is no other, the one that runs on is the monotonic one, as on macOS: clock_gettime(3).
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// The time on a clock that sleep does not stop.
pub(super) fn sleepless() -> Duration {
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

/// What a run knows of its own lease: asked before every call that changes something.
#[derive(Debug, Clone)]
pub struct Lease(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// When the last renewal was asked for that came through, in milliseconds on the sleepless clock.
    renewed: AtomicU64,
    lost: watch::Sender<bool>,
}

impl Lease {
    /// A lease that was asked for at this time.
    pub(super) fn since(asked: Duration) -> Lease {
        let lease = Lease(Arc::new(Known { renewed: AtomicU64::default(), lost: watch::Sender::new(false) }));
        lease.renew(asked);
        lease
    }

    /// It was renewed; `asked` is when that was asked for, from when on others count.
    pub(super) fn renew(&self, asked: Duration) {
        let millis = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
        self.0.renewed.store(millis, Ordering::Relaxed);
    }

    /// It is over. Once lost it stays lost: another may have worked in between.
    pub(super) fn lose(&self) {
        self.0.lost.send_replace(true);
    }

    /// Whether this run may still change something. Once it may not, whoever waits for the end of the lock learns of it.
    pub fn holds(&self) -> bool {
        let renewed = Duration::from_millis(self.0.renewed.load(Ordering::Relaxed));
        if sleepless().saturating_sub(renewed) > LEASE - MARGIN {
            self.lose();
        }
        !*self.0.lost.borrow()
    }

    /// Returns once the lease is known to be lost; never while it is held.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut lost = self.0.lost.subscribe();
        let known = self.clone();
        async move {
            // `known` keeps the sender.
            let _ = lost.wait_for(|lost| *lost).await;
            drop(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_for_its_owner_before_it_ends_for_others() {
        let lease = Lease::since(sleepless());
        assert!(lease.holds());
        lease.renew(sleepless() - (LEASE - MARGIN - Duration::from_secs(1)));
        assert!(lease.holds());
        lease.renew(sleepless() - (LEASE - MARGIN) - Duration::from_millis(2));
        assert!(!lease.holds());
        lease.renew(sleepless());
        assert!(!lease.holds(), "another may have worked in between");
    }

    #[tokio::test]
    async fn who_finds_it_over_tells_who_waits_for_that() {
        let lease = Lease::since(Duration::ZERO);
        let lost = lease.lost();
        assert!(!lease.holds());
        lost.await;
    }
}
