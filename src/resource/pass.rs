//! What a kind has at hand for one call, and the reads that the nodes of one pass share.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

use tokio::sync::OnceCell;

use super::Owner;
use crate::error::{Fault, Result};

/// What a kind gets for one call: the cloud's clients (by dereference), whose call it is, and the shared reads.
pub struct Cx<'a, C> {
    /// The clients.
    pub cloud: &'a C,
    /// Whose call this is.
    pub owner: &'a Owner,
    /// Reads shared with the other nodes of this pass.
    pub pass: &'a Pass,
}

impl<C> Deref for Cx<'_, C> {
    type Target = C;
    fn deref(&self) -> &C {
        self.cloud
    }
}

/// The reads of one pass over many nodes: the first node that asks makes the call, the others share its answer.
#[derive(Default)]
pub struct Pass {
    cells: RefCell<HashMap<String, Rc<Answer>>>,
}

type Answer = OnceCell<Rc<dyn Any>>;

impl Pass {
    /// The answer filed under `key`, made by `read` if nobody has asked yet. A failed read is not kept.
    /// One key always has one type.
    pub async fn shared<T, F>(&self, key: &str, read: impl FnOnce() -> F) -> Result<Rc<T>>
    where
        T: 'static,
        F: Future<Output = Result<T>>,
    {
        let cell = self.cells.borrow_mut().entry(key.to_owned()).or_default().clone();
        let any = cell.get_or_try_init(|| async { Ok::<_, Fault>(Rc::new(read().await?) as Rc<dyn Any>) }).await?;
        any.clone().downcast::<T>().map_err(|_| Fault::unexpected(format!("two types share the read {key}")))
    }
}
