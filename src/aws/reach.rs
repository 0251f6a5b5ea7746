//! Hosts that do not answer: said while it lasts, and named in the error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Takes a remark for the person who waits.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// How long a host may be silent before that is said, where it has not answered in this run yet.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How often a host is tried in vain before that is said. A connection that broke once is nothing to talk of.
const TRIES: u32 = 2;
/// Where many hosts are silent at once, their network is: how long one remark stands for all.
const STANDS: Duration = Duration::from_secs(10);

/// Where an instance, a task or a pod asks for its own credentials. They are on the machine's own link: a proxy would answer
/// for itself. `docs.aws.amazon.com/sdkref`, "IMDS credential provider" and "Container credential provider".
const METADATA: [&str; 5] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

/// The host of a URL, without port and brackets; empty where there is none.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is never behind a proxy: this machine and its metadata services.
pub(super) fn is_direct(host: &str) -> bool {
    is_loopback(host) || is_metadata(host)
}

fn is_metadata(host: &str) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    METADATA.iter().any(|known| *known == host || address(known).is_some_and(|known| address(host) == Some(known)))
}

/// Knows which hosts have answered, and says which do not.
#[derive(Clone)]
pub(super) struct Reach {
    tell: Tell,
    hosts: Arc<Mutex<Hosts>>,
}

#[derive(Default)]
struct Hosts {
    answered: BTreeSet<String>,
    failed: BTreeMap<String, u32>,
    said: BTreeMap<String, Instant>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").finish_non_exhaustive()
    }
}

impl Reach {
    pub(super) fn new(tell: Tell) -> Self {
        Reach { tell, hosts: Arc::default() }
    }

    /// Waits for an answer of this host.
    ///
    /// # Errors
    /// Those of the call, with the host.
    pub(super) async fn watch(
        &self,
        host: &str,
        call: impl Future<Output = Result<HttpResponse, ConnectorError>>,
    ) -> Result<HttpResponse, ConnectorError> {
        let mut call = pin!(call);
        let ended = match self.with(|hosts| hosts.answered.contains(host)) {
            true => call.await,
            false => match tokio::time::timeout(PATIENCE, &mut call).await {
                Ok(ended) => ended,
                Err(_) => {
                    self.say(host, || format!("no answer from {host} yet; still waiting"));
                    call.await
                }
            },
        };
        match ended {
            Ok(answer) => {
                self.with(|hosts| hosts.answer(host));
                Ok(answer)
            }
            Err(error) => {
                if self.with(|hosts| hosts.fail(host)) >= TRIES {
                    self.say(host, || format!("no connection to {host} yet; trying again"));
                }
                Err(named(host, error))
            }
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Hosts) -> T) -> T {
        look(&mut self.hosts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Once a host, and once for many that fail together. Whether an instance has metadata is found out by asking in vain.
    fn say(&self, host: &str, text: impl FnOnce() -> String) {
        if !is_metadata(host) && self.with(|hosts| hosts.is_worth_saying(host)) {
            (self.tell)(&text());
        }
    }
}

impl Hosts {
    fn answer(&mut self, host: &str) {
        if !self.answered.contains(host) {
            self.answered.insert(host.to_owned());
        }
        self.failed.remove(host);
        self.said.remove(host);
    }

    fn fail(&mut self, host: &str) -> u32 {
        let count = self.failed.entry(host.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn is_worth_saying(&mut self, host: &str) -> bool {
        if self.said.contains_key(host) || self.said.values().any(|said| said.elapsed() < STANDS) {
            return false;
        }
        self.said.insert(host.to_owned(), Instant::now());
        true
    }
}

/// Whether an error says that the other side's certificate is not trusted, in rustls's words.
pub(super) fn is_untrusted(words: &str) -> bool {
    words.contains("invalid peer certificate")
}

/// What went wrong with a connection, and to where.
#[derive(Debug)]
struct Unreached {
    text: String,
    cause: BoxError,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Unreached {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// The same error with the host in it. The SDK decides by the kind of an error whether to try again.
fn named(host: &str, error: ConnectorError) -> ConnectorError {
    let (timeout, io, user, other) = (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let connection = error.connection_metadata().cloned();
    let text = if timeout { format!("no answer from {host}") } else { format!("no connection to {host}") };
    let cause = error.into_source();
    // Trying again makes no certificate good.
    let user = user || is_untrusted(&super::faults::chain(cause.as_ref()));
    let unreached: BoxError = Box::new(Unreached { text, cause });
    let named = match () {
        () if user => ConnectorError::user(unreached),
        () if timeout => ConnectorError::timeout(unreached),
        () if io => ConnectorError::io(unreached),
        () => ConnectorError::other(unreached, other),
    };
    match connection {
        Some(connection) => named.with_connection(connection),
        None => named,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn heard() -> (Reach, Arc<Mutex<Vec<String>>>) {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let ear = said.clone();
        (Reach::new(Arc::new(move |text| ear.lock().unwrap().push(text.to_owned()))), said)
    }

    async fn refused(reach: &Reach, host: &str) -> ConnectorError {
        let call = async { Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())) };
        reach.watch(host, call).await.unwrap_err()
    }

    #[test]
    fn hosts_are_read_off_urls() {
        for (url, host) in [
            ("https://sts.us-east-1.amazonaws.com/", "sts.us-east-1.amazonaws.com"),
            ("http://127.0.0.1:5555/x?y=z", "127.0.0.1"),
            ("http://[fd00:ec2::254]/latest", "fd00:ec2::254"),
            ("http://user:word@host:80/", "host"),
            ("http://", ""),
        ] {
            assert_eq!(host_of(url), host);
        }
    }

    #[test]
    fn the_machine_and_its_metadata_are_never_behind_a_proxy() {
        for host in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:0ec2::254"] {
            assert!(is_direct(host) && !is_loopback(host), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_direct(host) && is_loopback(host), "{host}");
        }
        for host in ["sts.us-east-1.amazonaws.com", "169.254.169.25", "10.0.0.1", "fd00:ec2::255", ""] {
            assert!(!is_direct(host), "{host}");
        }
    }

    #[tokio::test]
    async fn the_second_failure_is_said_once_and_again_after_an_answer() {
        let (reach, said) = heard();
        for _ in 0..3 {
            let error = refused(&reach, "sts.us-east-1.amazonaws.com").await;
            assert!(error.is_io());
            let cause = std::error::Error::source(&error).unwrap();
            assert_eq!(cause.to_string(), "no connection to sts.us-east-1.amazonaws.com");
        }
        refused(&reach, "169.254.169.254").await;
        refused(&reach, "169.254.169.254").await;
        assert_eq!(*said.lock().unwrap(), ["no connection to sts.us-east-1.amazonaws.com yet; trying again"]);
        for _ in 0..2 {
            refused(&reach, "iam.amazonaws.com").await;
        }
        assert_eq!(said.lock().unwrap().len(), 1, "one remark stands for all that fail together");
    }

    #[tokio::test]
    async fn a_host_that_takes_the_connection_and_says_nothing_is_told() {
        let (reach, said) = heard();
        let slow = async {
            let silence = std::future::pending::<()>();
            tokio::time::timeout(PATIENCE * 2, silence).await.expect_err("it says nothing");
            Err(ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into()))
        };
        let error = reach.watch("ec2.us-east-1.amazonaws.com", slow).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(*said.lock().unwrap(), ["no answer from ec2.us-east-1.amazonaws.com yet; still waiting"]);
    }
}
