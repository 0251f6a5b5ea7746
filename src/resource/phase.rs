//! Where an object is in its life, in AWS's words, written one way: each service has its own (`pending`, `PENDING`,
//! `Creating`, `IN_PROGRESS`).

use serde::{Deserialize, Serialize};

/// Where an object is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase", content = "reason")]
pub enum Phase {
    /// Usable.
    Ready,
    /// On its way; the text is what AWS calls this status.
    Pending(String),
    /// On its way out.
    Deleting,
    /// Ended badly, and waiting cannot help; the text is AWS's own words.
    Failed(String),
}

impl Phase {
    /// The same phase with AWS's name of the status in lower case. What AWS explains after a colon stays as it is.
    pub fn in_lower_case(self) -> Self {
        match self {
            Phase::Pending(words) => Phase::Pending(lower(&words)),
            Phase::Failed(words) => Phase::Failed(lower(&words)),
            phase => phase,
        }
    }
}

fn lower(words: &str) -> String {
    let (status, explained) = words.split_at(words.find(':').unwrap_or(words.len()));
    if !status.contains(' ') {
        return status.to_lowercase() + explained;
    }
    let small = |word: &str| if is_status(word) { word.to_lowercase() } else { word.to_owned() };
    status.split(' ').map(small).collect::<Vec<_>>().join(" ") + explained
}

/// Long enough to be no abbreviation, as `ARN`.
fn is_status(word: &str) -> bool {
    let letters = word.trim_matches([',', ';', '.']);
    letters.len() >= 6 && letters.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn every_service_s_words_are_written_one_way() {
        for (words, written) in [
            ("PENDING", "pending"),
            ("Creating", "creating"),
            ("PENDING_PROXY_CAPACITY", "pending_proxy_capacity"),
            ("FAILED: no room in ZONES", "failed: no room in ZONES"),
            ("deployment IN_PROGRESS: 2 of 2", "deployment in_progress: 2 of 2"),
            ("available, change of the KMS key pending", "available, change of the KMS key pending"),
            ("", ""),
        ] {
            assert_eq!(lower(words), written);
        }
    }
}
