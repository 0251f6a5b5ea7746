//! What is allowed, and yet worth a word before it is built.

use ipnet::Ipv4Net;

use super::{Config, forms};

/// Addresses that belong to nobody in the internet: RFC 1918, RFC 6598 and RFC 2544.
const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"];
/// Docker's own bridge. The VPC user guide ("VPC CIDR blocks") warns of it: AWS Cloud9 and SageMaker use it too.
const BRIDGE: &str = "172.17.0.0/16";

impl Config {
    /// What a person should know of these settings, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        [self.addresses(), self.image()].into_iter().flatten().collect()
    }

    fn addresses(&self) -> Option<String> {
        let cidr = self.network.cidr;
        let within = |net: &str| net.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&cidr));
        if within(BRIDGE) {
            return Some(format!(
                "network.cidr is {cidr}, which Docker's bridge, AWS Cloud9 and SageMaker use themselves: what runs there \
                 does not reach this VPC"
            ));
        }
        (!PRIVATE.into_iter().any(within)).then(|| {
            format!(
                "network.cidr is {cidr}, which are public addresses: their owners cannot be reached from this VPC; private \
                 are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16"
            )
        })
    }

    fn image(&self) -> Option<String> {
        let image = &self.service.image;
        let named = forms::image(image).is_ok_and(|parts| parts.tag.is_some() || parts.digest.is_some());
        (!named).then(|| {
            format!(
                "service.image is {image:?}, without a tag or digest: each task that starts runs what is the latest by then; \
                 add :tag or @sha256:digest"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(text: &str) -> Vec<String> {
        Config::parse("tapctl.toml", text, "dev", None).unwrap().remarks()
    }

    #[test]
    fn public_addresses_and_the_bridge_are_remarked() {
        for cidr in ["10.1.0.0/16", "172.16.0.0/16", "172.18.0.0/16", "192.168.0.0/20", "100.64.0.0/16"] {
            assert_eq!(remarks(&format!("network.cidr = {cidr:?}")), [""; 0], "{cidr}");
        }
        assert!(remarks("network.cidr = \"8.8.0.0/16\"")[0].contains("public addresses"));
        assert!(remarks("network.cidr = \"172.17.0.0/20\"")[0].contains("Docker's bridge"));
    }

    #[test]
    fn an_image_that_moves_is_remarked() {
        assert_eq!(remarks("service.image = \"host.edu:5000/api:1\""), [""; 0]);
        assert!(remarks("service.image = \"host.edu:5000/api\"")[0].contains("without a tag or digest"));
    }
}
