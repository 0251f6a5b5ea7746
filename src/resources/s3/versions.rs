//! Emptying a bucket. Each version of an object, and each mark that one was deleted, has to be removed by itself.

use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::unbuilt;
use crate::aws::errors::classify;
use crate::aws::{Cx, IfPresent};
use crate::error::{Class, Fault, Result};

/// Removes as many versions as one call can, a thousand.
///
/// # Errors
/// Of class busy where more are left.
pub(super) async fn remove_some(cx: &Cx<'_>, bucket: &str) -> Result<()> {
    let ask = cx.s3.list_object_versions().bucket(bucket).expected_bucket_owner(&cx.account);
    let Some(page) = ask.send().await.if_present()? else { return Ok(()) };
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    let found = versions.chain(markers).map(|(key, version)| identifier(key, version)).collect::<Result<Vec<_>>>()?;
    let removed = found.len();
    if removed > 0 {
        remove(cx, bucket, found).await?;
    }
    match page.is_truncated() {
        Some(true) => {
            let text = format!("{removed} versions of objects removed, more are left");
            Err(Fault::new(Class::Busy, "BucketNotEmpty", text))
        }
        _ => Ok(()),
    }
}

/// Whether a bucket has no version of any object, nor a mark that one was deleted. One that is not there is empty too.
pub(super) async fn is_empty(cx: &Cx<'_>, bucket: &str) -> Result<bool> {
    let ask = cx.s3.list_object_versions().bucket(bucket).expected_bucket_owner(&cx.account).max_keys(1);
    let Some(page) = ask.send().await.if_present()? else { return Ok(true) };
    Ok(page.versions().is_empty() && page.delete_markers().is_empty())
}

fn identifier(key: Option<&str>, version: Option<&str>) -> Result<ObjectIdentifier> {
    let identifier = ObjectIdentifier::builder().set_key(key.map(str::to_owned));
    identifier.set_version_id(version.map(str::to_owned)).build().map_err(unbuilt)
}

/// Answers success and lists what failed inside.
async fn remove(cx: &Cx<'_>, bucket: &str, versions: Vec<ObjectIdentifier>) -> Result<()> {
    let wanted = Delete::builder().set_objects(Some(versions)).quiet(true).build().map_err(unbuilt)?;
    let ask = cx.s3.delete_objects().bucket(bucket).expected_bucket_owner(&cx.account).delete(wanted);
    let answer = ask.send().await?;
    let Some(error) = answer.errors().first() else { return Ok(()) };
    let (code, message) = (error.code().unwrap_or("Unsuccessful"), error.message().unwrap_or_default());
    Err(Fault {
        class: classify("s3:DeleteObjects", code, message, 400),
        code: code.to_owned(),
        message: format!("{}: {message}", error.key().unwrap_or_default()),
        operation: "s3:DeleteObjects".to_owned(),
        request_id: answer.request_id().map(str::to_owned),
        advice: None,
    })
}
