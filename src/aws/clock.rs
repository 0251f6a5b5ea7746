//! The time requests are signed at. AWS refuses signatures that are minutes off, and tells the right time in every
//! answer: where this machine's clock is wrong, AWS's is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_types::sdk_config::TimeSource;
use jiff::tz::TimeZone;

/// The narrowest tolerance of any service is five minutes; a slow answer may be a minute old.
const TOLERATED_SECONDS: i64 = 180;
/// Put on an answer to a request that was signed at a wrong time.
const UNTIMELY_HEADER: &str = "x-tapctl-untimely";

/// This machine's clock, set right by AWS's.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// Seconds to add.
    ahead: Arc<AtomicI64>,
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        let (now, ahead) = (SystemTime::now(), self.ahead.load(Ordering::Relaxed));
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) }.unwrap_or(now)
    }
}

impl Clock {
    /// How many seconds AWS is ahead of this machine, where that had to be made up for.
    pub(super) fn ahead(&self) -> Option<i64> {
        Some(self.ahead.load(Ordering::Relaxed)).filter(|ahead| *ahead != 0)
    }

    /// Sets the clock by an answer's date where they are too far apart, and marks the answer where its request was
    /// `signed` that far from it. Many requests may be under way when the first answer tells.
    pub(super) fn set_by(&self, answer: &mut HttpResponse, signed: Option<i64>) {
        let date = answer.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let Some(date) = date.map(|date| date.secs()) else { return };
        let off = date - DateTime::from(self.now()).secs();
        if off.abs() > TOLERATED_SECONDS {
            tracing::warn!(seconds = off, "this machine's clock is wrong; going by AWS's");
            self.ahead.fetch_add(off, Ordering::Relaxed);
        }
        if signed.is_some_and(|signed| (date - signed).abs() > TOLERATED_SECONDS) {
            answer.headers_mut().insert(UNTIMELY_HEADER, "true");
        }
    }
}

/// When a request was signed, in seconds since 1970.
pub(super) fn signed_at(request: &HttpRequest) -> Option<i64> {
    let text = request.headers().get("x-amz-date")?;
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(signed.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// Whether this answer may be a refusal only because of the time the request was signed at. It had no effect then, and
/// made again it is signed at the right time.
pub(super) fn refused_for_its_time(answer: &HttpResponse) -> bool {
    answer.headers().get(UNTIMELY_HEADER).is_some() && (400..500).contains(&answer.status().as_u16())
}

/// Lets the SDK repeat reads that were signed at a wrong time.
#[derive(Debug)]
pub(super) struct Again;

impl ClassifyRetry for Again {
    fn classify_retry(&self, ctx: &InterceptorContext) -> RetryAction {
        match ctx.response().is_some_and(refused_for_its_time) {
            true => RetryAction::transient_error(),
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Signed at a wrong time"
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answer(status: u16, seconds_off: i64) -> HttpResponse {
        let now = DateTime::from(SystemTime::now()).secs() + seconds_off;
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("{}"));
        answer.headers_mut().insert("date", DateTime::from_secs(now).fmt(Format::HttpDate).unwrap());
        answer
    }

    fn signed_by(clock: &Clock) -> Option<i64> {
        let mut request = HttpRequest::empty();
        let now = DateTime::from(clock.now()).secs();
        let text = jiff::Timestamp::from_second(now).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        request.headers_mut().insert("x-amz-date", text);
        assert_eq!(signed_at(&request), Some(now));
        Some(now)
    }

    #[test]
    fn a_clock_that_is_off_is_set_once_and_every_request_signed_by_it_may_be_made_again() {
        for off in [-3600, 3600] {
            let clock = Clock::default();
            let signed = signed_by(&clock);
            for _ in 0..2 {
                let mut refusal = answer(403, off);
                clock.set_by(&mut refusal, signed);
                assert!(refused_for_its_time(&refusal));
                assert!((clock.ahead().unwrap() - off).abs() <= 1);
            }
            let mut next = answer(403, off);
            clock.set_by(&mut next, signed_by(&clock));
            assert!(!refused_for_its_time(&next), "a second refusal has another cause");
        }
    }

    #[test]
    fn small_differences_and_good_answers_are_let_be() {
        let clock = Clock::default();
        let mut refusal = answer(403, 120);
        clock.set_by(&mut refusal, signed_by(&clock));
        assert!(!refused_for_its_time(&refusal));
        assert_eq!(clock.ahead(), None);
        let mut good = answer(200, 600);
        clock.set_by(&mut good, signed_by(&clock));
        assert!(!refused_for_its_time(&good), "it was taken all the same");
        assert!(clock.ahead().is_some());
    }
}
