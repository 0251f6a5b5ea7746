//! AWS WAF, regional. A web ACL is written whole, under a lock token that each write renews.

mod plain_paths;
pub mod web_acl;
pub mod web_acl_association;

pub use web_acl::WebAcl;
pub use web_acl_association::WebAclAssociation;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<WebAcl>().with::<WebAclAssociation>()
}
