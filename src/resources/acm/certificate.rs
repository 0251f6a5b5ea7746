//! A self-signed certificate that is made here and imported. Its private key exists in memory only, until AWS has it;
//! a new certificate goes in under the same ARN.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use aws_sdk_acm::operation::import_certificate::builders::ImportCertificateFluentBuilder;
use aws_sdk_acm::primitives::{Blob, DateTime, DateTimeFormat};
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateSummary, Filters, KeyAlgorithm, Tag};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::resources::elbv2::load_balancer;
use crate::resources::prelude::*;

const DAY: u64 = 24 * 60 * 60;
/// How far back validity begins, in seconds, for those whose clock is slow.
const SLACK: u64 = 60 * 60;

/// X.509's limit for a common name, in characters (RFC 5280, ub-common-name).
const LONGEST_COMMON_NAME: usize = 64;
/// Who issues a certificate that tapctl makes, as its organisation.
const ISSUER: &str = "tapctl";

/// How long before its expiry a certificate is made anew, in seconds; a third of its life where that is shorter.
const RENEWAL: i64 = 30 * DAY.cast_signed();

/// A certificate for one name, and for others beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The host name it is for, in lower case, at most 253 characters. It is the alternative name and, where it fits, the
    /// common name.
    pub domain_name: Out<String>,
    /// Further names that it is for when it is made, or made anew for another name: those that it is still called by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<Out<String>>,
    /// Days from its making to its expiry, 1-825. Live it is 0 in its last 30 days, or its last third if that is shorter,
    /// so that it is made anew in time: API Gateway calls nothing whose certificate has expired.
    pub validity_days: i32,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificateOutputs {
    /// The certificate's ARN.
    pub arn: String,
    /// The host name it is for.
    pub domain_name: String,
    /// When it expires, as `2027-01-31T12:00:00Z`.
    pub not_after: String,
}

impl Node<Certificate> {
    /// The certificate's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The host name it is for.
    pub fn domain_name(&self) -> Out<String> {
        self.out("domain_name")
    }

    /// When it expires, as `2027-01-31T12:00:00Z`.
    pub fn not_after(&self) -> Out<String> {
        self.out("not_after")
    }
}

impl Resource for Certificate {
    type Cloud = Aws;
    type Outputs = CertificateOutputs;
    const KIND: &'static str = "acm.certificate";
    const WITNESSES: &'static [&'static str] = &["also"];
    // A certificate counts as in use for minutes after its last listener is gone.
    const WAIT: Wait = Wait::seconds(5, 120, 1200);

    fn check(&self) -> std::result::Result<(), String> {
        if !(1..=825).contains(&self.validity_days) {
            return Err(format!("validity_days is {}; clients allow 1-825", self.validity_days));
        }
        match self.domain_name.known() {
            Some(name) if !is_host_name(name) => Err(format!(
                "domain_name is {name:?}; AWS allows a full host name of at most 253 characters, here in lower case"
            )),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut arns = match id {
            Some(arn) => vec![arn.to_owned()],
            None => self.owned(cx).await?,
        }
        .into_iter();
        let Some(arn) = arns.next() else { return Ok(None) };
        let found = cx.acm.describe_certificate().certificate_arn(&arn).send().await.if_present()?;
        let Some(detail) = found.and_then(|answer| answer.certificate) else { return Ok(None) };
        let Some(tags) = certificate_tags(cx, &arn).await? else { return Ok(None) };
        let domain_name = detail.domain_name.clone().always("domain name")?;
        let live = Certificate {
            domain_name: domain_name.as_str().into(),
            also: self.also.clone(),
            validity_days: validity_days(&detail, DateTime::from(SystemTime::now()).secs()),
            tags,
        };
        let outputs = CertificateOutputs { arn: arn.clone(), domain_name, not_after: not_after(&detail)? };
        let mut observed = Observed::ready(arn, live, outputs).in_phase(phase(&detail));
        observed.duplicates = arns.collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = self.import(cx)?.set_tags(Some(to_acm(&self.tags)?)).send().await?;
        made.certificate_arn.always("certificate ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        // ACM User Guide, "Reimport a certificate": names may come and go, key and type stay.
        if diff.has_any(&["domain_name", "validity_days"]) {
            self.import(cx)?.certificate_arn(arn).send().await?;
        }
        if diff.has("tags") {
            let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
            if !remove.is_empty() {
                let remove = remove.iter().map(|key| tag(Tag::builder().key(key).build())).collect::<Result<_>>()?;
                cx.acm.remove_tags_from_certificate().certificate_arn(arn).set_tags(Some(remove)).send().await?;
            }
            if !set.is_empty() {
                let request = cx.acm.add_tags_to_certificate().certificate_arn(arn);
                request.set_tags(Some(to_acm(&set)?)).send().await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.acm.delete_certificate().certificate_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// ACM goes on naming load balancers for minutes after they are gone.
    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let ask = cx.acm.describe_certificate().certificate_arn(&observed.id);
        let detail = ask.send().await.if_present()?.and_then(|answer| answer.certificate);
        let users = detail.and_then(|detail| detail.in_use_by).unwrap_or_default();
        let balancer = cx.arn("elasticloadbalancing", "loadbalancer/");
        let standing = match users.iter().any(|arn| arn.starts_with(&balancer)) {
            true => load_balancer::balancers(cx).await?,
            false => Rc::default(),
        };
        let is_there = |arn: &str| standing.iter().any(|one| one.load_balancer_arn() == Some(arn));
        let stands = |arn: &&String| !arn.starts_with(&balancer) || is_there(arn);
        Ok(users.iter().filter(stands).map(|arn| Holder::of(arn, format!("{arn}, which presents it"))).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "acm", "certificate/", index::by_arn).await
    }
}

impl Certificate {
    /// The call that hands a fresh certificate and its key to AWS.
    fn import(&self, cx: &Cx<'_>) -> Result<ImportCertificateFluentBuilder> {
        let days = u64::try_from(self.validity_days).map_err(|error| Fault::invalid(error.to_string()))?;
        // The error never carries key material.
        let mut names = vec![self.domain_name.get()?.clone()];
        let others = self.also.iter().filter(|name| **name != self.domain_name);
        names.extend(others.map(|name| name.get().cloned()).collect::<Result<Vec<_>>>()?);
        let (certificate, key) = self_signed(names, days).map_err(|e| Fault::invalid(e.to_string()))?;
        Ok(cx.acm.import_certificate().certificate(certificate).private_key(key))
    }

    /// ARNs of the certificates that carry this node's ownership tags, the oldest first.
    async fn owned(&self, cx: &Cx<'_>) -> Result<Vec<String>> {
        // The load balancer that has the name may not be there yet, and then neither is this.
        let Some(name) = self.domain_name.known() else { return Ok(Vec::new()) };
        let all = cx.pass.shared("acm.certificates", || certificates(cx)).await?;
        let names: BTreeSet<&str> = self.also.iter().filter_map(Out::known).chain([name]).map(String::as_str).collect();
        let candidates = all.iter().filter(|summary| summary.domain_name().is_some_and(|name| names.contains(name)));
        let mut owned = Vec::new();
        for arn in candidates.filter_map(|summary| summary.certificate_arn()) {
            if certificate_tags(cx, arn).await?.is_some_and(|tags| cx.owner.owns(&tags)) {
                owned.push(arn.to_owned());
            }
        }
        Ok(owned)
    }
}

/// A certificate and its private key, both as PEM. RSA, because there is no client that cannot; and a certificate
/// authority of its own, because API Gateway accepts a private certificate only if its root says so.
/// The first name is the common one, where it fits; but who issues it must have some name (RFC 5280, 4.1.2.4), without
/// which the client of API Gateway cannot read it.
fn self_signed(names: Vec<String>, days: u64) -> std::result::Result<(Blob, Blob), rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let from = SystemTime::now() - Duration::from_secs(SLACK);
    let common = names.first().filter(|name| name.len() <= LONGEST_COMMON_NAME).cloned();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, ISSUER);
    if let Some(name) = common {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.not_before = from.into();
    params.not_after = (from + Duration::from_secs(days * DAY)).into();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok((Blob::new(certificate.pem()), Blob::new(key.serialize_pem())))
}

/// Every certificate of the region, the oldest first. Unless asked for all, AWS lists only some types of key.
async fn certificates(cx: &Cx<'_>) -> Result<Vec<CertificateSummary>> {
    let types = KeyAlgorithm::values().iter().map(|name| KeyAlgorithm::from(*name)).collect();
    let every = Filters::builder().set_key_types(Some(types)).build();
    let mut all = cx.acm.list_certificates().includes(every).into_paginator().items().send().try_collect().await?;
    all.sort_by_key(|summary| summary.created_at.or(summary.imported_at));
    Ok(all)
}

/// Its tags; `None` where the certificate does not exist.
async fn certificate_tags(cx: &Cx<'_>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.acm.list_tags_for_certificate().certificate_arn(arn).send().await.if_present()?;
    let pairs = answer.map(|answer| answer.tags.unwrap_or_default());
    Ok(pairs.map(|pairs| tags::read(pairs.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())))))
}

fn to_acm(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter().map(|(key, value)| tag(Tag::builder().key(key).value(value).build())).collect()
}

fn tag(built: Result<Tag, impl std::fmt::Display>) -> Result<Tag> {
    built.map_err(|error| Fault::invalid(error.to_string()))
}

fn phase(detail: &CertificateDetail) -> Phase {
    match detail.status() {
        // An expired one is renewed by an update.
        Some(CertificateStatus::Issued | CertificateStatus::Expired) => Phase::Ready,
        Some(CertificateStatus::PendingValidation) => Phase::Pending("PENDING_VALIDATION".into()),
        status => Phase::Failed(status.map_or("no status", |status| status.as_str()).to_owned()),
    }
}

/// Its whole life in days; 0 where that is about to end `now`, in seconds.
fn validity_days(detail: &CertificateDetail, now: i64) -> i32 {
    let seconds = |time: Option<&DateTime>| time.map_or(0, DateTime::secs);
    let (from, to) = (seconds(detail.not_before()), seconds(detail.not_after()));
    let last_days = RENEWAL.min((to - from) / 3);
    match detail.status() {
        Some(CertificateStatus::Expired) => 0,
        _ if to - now < last_days => 0,
        _ => i32::try_from((to - from) / DAY.cast_signed()).unwrap_or(i32::MAX),
    }
}

fn not_after(detail: &CertificateDetail) -> Result<String> {
    let time = detail.not_after().always("expiry")?;
    time.fmt(DateTimeFormat::DateTime).map_err(|error| Fault::unexpected(error.to_string()))
}

fn is_host_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= 253 && labels.contains('.') && labels.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_certificate_and_its_key_are_made_small_enough_for_aws() {
        let (certificate, key) =
            self_signed(vec!["alb.student.edu".to_owned(), "alb.internal".to_owned()], 365).unwrap();
        assert!(certificate.as_ref().starts_with(b"-----BEGIN CERTIFICATE-----"));
        assert!(key.as_ref().starts_with(b"-----BEGIN PRIVATE KEY-----"));
        assert!(key.as_ref().len() <= 5 * 1024);
    }

    #[test]
    fn whoever_issues_it_has_a_name_however_long_the_host_s_is() {
        for host in ["alb.student.edu".to_owned(), format!("{}.us-gov-west-1.elb.amazonaws.com", "a".repeat(50))] {
            let (certificate, _) = self_signed(vec![host], 365).unwrap();
            let pem = String::from_utf8(certificate.into_inner()).unwrap();
            let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
            let der = STANDARD.decode(body).unwrap();
            let named = der.windows(ISSUER.len()).filter(|part| *part == ISSUER.as_bytes());
            assert_eq!(named.count(), 2, "issuer and subject");
        }
    }

    #[test]
    fn a_certificate_that_is_about_to_expire_counts_as_valid_for_no_day() {
        let day = 86_400;
        let detail = |days: i64, status| {
            let (from, to) = (DateTime::from_secs(0), DateTime::from_secs(days * day));
            CertificateDetail::builder().not_before(from).not_after(to).status(status).build()
        };
        assert_eq!(validity_days(&detail(365, CertificateStatus::Issued), 334 * day), 365);
        assert_eq!(validity_days(&detail(365, CertificateStatus::Issued), 336 * day), 0);
        assert_eq!(validity_days(&detail(3, CertificateStatus::Issued), day), 3);
        assert_eq!(validity_days(&detail(365, CertificateStatus::Expired), 0), 0);
    }

    #[test]
    fn names_are_host_names() {
        assert!(["a.b", "*.student.internal"].into_iter().all(is_host_name));
        assert!(!["", "localhost", "A.b", "a..b", "-a.b", "a_b.c"].into_iter().any(is_host_name));
        assert!(is_host_name(&format!("{}.{}.x", "a".repeat(40), "b".repeat(40))));
        assert!(!is_host_name(&["a".repeat(63).as_str(); 4].join(".")));
    }
}
