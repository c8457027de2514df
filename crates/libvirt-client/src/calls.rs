//! Calls that outlive a connection.

use std::time::Duration;

use libvirt_wire::Call;
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use crate::{
    Address, Client, ConnectError, Reply,
    error::{CallError, CallKind},
    handshake,
};

/// A handle for calls to one libvirtd, over a connection that is replaced when
/// too many calls on it go unanswered.
#[derive(Clone, Debug)]
pub struct Calls {
    current: watch::Receiver<Client>,
}

impl Calls {
    /// Makes a call and waits for its reply, `deadline` in all; a connection that
    /// is being replaced is waited for.
    ///
    /// Dropping the future gives the call up, as the deadline does: libvirtd may
    /// go on with it, and it counts as in flight until libvirtd has answered.
    ///
    /// # Errors
    ///
    /// When libvirtd refuses the call, does not answer in time, or hangs up.
    pub async fn call<C: Call>(&self, call: &C, deadline: Duration) -> Result<Reply<C>, CallError> {
        let begun = Instant::now();
        let failed = |kind| CallError::new(C::PROCEDURE, kind);
        let mut current = self.current.clone();
        let good = current.wait_for(|client| !client.is_closed());
        let client = match time::timeout(deadline, good).await {
            Ok(Ok(client)) => client.clone(),
            // Nobody replaces it any more: the session is over.
            Ok(Err(_)) => return Err(failed(CallKind::Disconnected)),
            Err(_) => return Err(failed(CallKind::TimedOut(deadline))),
        };
        let called = client.call(call, deadline.saturating_sub(begun.elapsed())).await;
        // Who waited for what is the same to the caller.
        called.map_err(|error| {
            if error.is_timeout() { failed(CallKind::TimedOut(deadline)) } else { error }
        })
    }

    /// Says goodbye, so that libvirtd logs no fault, and waits for its answer.
    pub async fn close(&self) {
        let client = self.current.borrow().clone();
        client.close().await;
    }
}

/// Who replaces the connection of [`Calls`]. Without one it is not replaced.
#[derive(Debug)]
pub struct Tender {
    address: Address,
    publish: watch::Sender<Client>,
}

impl Tender {
    /// Waits until the connection has to be replaced.
    pub async fn worn_out(&self) {
        let client = self.publish.borrow().clone();
        client.closed().await;
    }

    /// Replaces the connection.
    ///
    /// # Errors
    ///
    /// When nobody listens, libvirtd does not let us in, or says nothing within
    /// `deadline`. The connection is then worn out still.
    pub async fn replace(&self, deadline: Duration) -> Result<(), ConnectError> {
        let (client, _) = handshake::connect(&self.address, deadline).await?;
        self.publish.send_replace(client);
        Ok(())
    }
}

pub(crate) fn calls(address: &Address, client: Client) -> (Calls, Tender) {
    let (publish, current) = watch::channel(client);
    (Calls { current }, Tender { address: address.clone(), publish })
}
