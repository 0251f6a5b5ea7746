//! What can go wrong with a call to the cloud, and what it means to the engine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a failed call means to the engine, whatever its wire code was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The object does not exist.
    Absent,
    /// The name or key is taken.
    Exists,
    /// Something still uses it, or it is in the wrong state for now: try again later.
    Busy,
    /// A fresh dependency is not visible yet: try again soon.
    NotYet,
    /// The request was refused before it was looked at, for its rate or for the time it was signed at; it certainly had
    /// no effect.
    Throttled,
    /// The credentials lack the permission.
    Denied,
    /// AWS does not take the credentials: they are missing, wrong or have expired. No other call would fare better.
    Credentials,
    /// A limit of the account is reached.
    Quota,
    /// The request itself is wrong; trying again cannot help.
    Invalid,
    /// No usable answer came: the call may or may not have taken effect.
    Lost,
    /// Anything else.
    Other,
}

/// One failed call.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Fault {
    /// What it means to the engine.
    pub class: Class,
    /// The wire code AWS answered with, or a word of ours where no answer came.
    pub code: String,
    /// AWS's own words.
    pub message: String,
    /// The call, as `service:Operation`; empty where no call was made.
    pub operation: String,
    /// AWS's request id, which its support asks for.
    pub request_id: Option<String>,
    /// What to do, where that is more than the class and the code tell.
    pub advice: Option<Box<str>>,
}

impl Fault {
    /// A fault found on our side, before or after a call.
    pub fn new(class: Class, code: &str, message: impl Into<String>) -> Self {
        Fault {
            class,
            code: code.to_owned(),
            message: message.into(),
            operation: String::new(),
            request_id: None,
            advice: None,
        }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn with_advice(self, advice: impl Into<String>) -> Self {
        Fault { advice: Some(advice.into().into_boxed_str()), ..self }
    }

    /// The request cannot be right; nothing was sent.
    pub fn invalid(message: impl Into<String>) -> Self {
        Fault::new(Class::Invalid, "Invalid", message)
    }

    /// AWS answered something that its own description does not allow.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Fault::new(Class::Other, "UnexpectedAnswer", message)
    }

    /// What the person can do about it.
    pub fn hint(&self) -> Option<&str> {
        if self.advice.is_some() {
            return self.advice.as_deref();
        }
        match self.code.as_str() {
            "InvalidClientTokenId" if self.operation.starts_with("iam:") => {
                return Some(
                    "IAM alone takes no session token that was got without MFA: use credentials got with it, or \
                     aws-vault --no-session",
                );
            }
            "UntrustedCertificate" => {
                return Some(
                    "name the root that signs here in AWS_CA_BUNDLE, or as ca_bundle of the profile; or set the clock",
                );
            }
            "UnreadableAnswer" => {
                return Some(
                    "what answers is not AWS: check the proxy, AWS_ENDPOINT_URL and whether the network wants a log-in",
                );
            }
            "NoCredentials" => return Some("log in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID"),
            "NoConnection" => return Some("check network, proxy, region and AWS_ENDPOINT_URL, then run again"),
            "Anothers" => {
                return Some("it is never taken over; use the state and region it belongs to, or another env");
            }
            "NoLongerOurs" => {
                return Some("leave it there with `tapctl state rm NODE`, or take it over with `tapctl apply --adopt`");
            }
            // A changed throughput mode, or fewer provisioned MiB/s: "How to manage throughput" in the EFS User Guide.
            "TooManyRequests" if self.operation.starts_with("efs:") => {
                return Some("AWS takes such a change once in 24 hours: run apply again then, or put the setting back");
            }
            "TimedOut" => {
                return Some(
                    "nothing has failed: run the command again, it goes on waiting; a larger --timeout waits longer",
                );
            }
            "RequestTimeTooSkewed" => return Some("set this machine's clock, then run again"),
            _ => {}
        }
        Some(match self.class {
            Class::Denied if self.operation == "iam:CreateRole" => {
                "check that the credentials' policy allows this call; where the organisation wants a permissions boundary on \
                 every role, name it as iam.permissions_boundary in tapctl.toml"
            }
            Class::Credentials => "renew the credentials and run again; it goes on from here",
            Class::Denied => "check that the credentials' policy allows this call",
            Class::Quota => "ask for a higher quota, or remove what is no longer used, then run apply again",
            Class::Busy => "something still holds it; run the command again once that is gone",
            Class::NotYet if self.message.to_lowercase().contains("invalid principal") => {
                "run the command again; if it stays, see in `tapctl plan` whether all whom the policy names still exist"
            }
            Class::NotYet => "AWS had not caught up in time; run the command again, it goes on where it stopped",
            Class::Throttled => "the account is over AWS's request rate; run again, or lower --parallelism",
            Class::Lost if self.is_unanswered() && reads(&self.operation) => "no answer came; run the command again",
            Class::Lost if self.is_unanswered() => {
                "no answer came; run the command again, it looks for the object before it makes one"
            }
            Class::Lost if reads(&self.operation) => "AWS failed at it; run the command again",
            Class::Lost => "AWS failed at it; run the command again, it looks for the object before it makes one",
            Class::Exists => "the name is taken; remove that object, or take it over with --adopt",
            Class::Absent | Class::Invalid | Class::Other => return None,
        })
    }
}

impl Fault {
    /// Whether nothing came back that AWS has said.
    fn is_unanswered(&self) -> bool {
        ["Timeout", "NoConnection"].contains(&self.code.as_str())
    }
}

/// Whether an operation, with its service before it or without, only reads, told by AWS's naming.
pub fn reads(operation: &str) -> bool {
    let name = operation.rsplit(':').next().unwrap_or(operation);
    ["Describe", "Get", "List", "BatchGet", "Head"].iter().any(|verb| name.starts_with(verb))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        write!(f, "{}", self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// The result of a call to the cloud.
pub type Result<T, E = Fault> = std::result::Result<T, E>;
