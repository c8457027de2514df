//! Calls that outlive a connection.

use std::time::Duration;

use libvirt_wire::Call;
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use crate::{
    Access, Client, ConnectError, Ledger, Reply, Unanswered,
    error::{CallError, CallKind},
    handshake,
    question::{Answered, Question},
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
        self.call_or_late(call, deadline).await.map_err(|unanswered| unanswered.error)
    }

    /// The same, for who may have a use for a reply that comes after the deadline.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call); where the deadline passed, with what may yet come.
    pub async fn call_or_late<C: Call>(
        &self,
        call: &C,
        deadline: Duration,
    ) -> Result<Reply<C>, Unanswered> {
        self.ask(&Question::new(call), deadline).await.map(Reply::new)
    }

    async fn ask(&self, question: &Question, deadline: Duration) -> Result<Answered, Unanswered> {
        let begun = Instant::now();
        let error = |kind| CallError::new(question.procedure, kind);
        let failed = |kind| Unanswered { error: error(kind), late: None };
        let mut current = self.current.clone();
        loop {
            let good = current.wait_for(|client| !client.is_closed());
            let left = deadline.saturating_sub(begun.elapsed());
            let client = match time::timeout(left, good).await {
                Ok(Ok(client)) => client.clone(),
                // Nobody replaces it any more: the session is over.
                Ok(Err(_)) => return Err(failed(CallKind::Disconnected)),
                Err(_) => return Err(failed(CallKind::TimedOut(deadline))),
            };
            match client.ask(question, deadline.saturating_sub(begun.elapsed())).await {
                // It is being replaced; the next one may have more room.
                Err(unanswered) if unanswered.error.is_not_sent() => {}
                // Who waited for what is the same to the caller.
                Err(Unanswered { error: timeout, late }) if timeout.is_timeout() => {
                    return Err(Unanswered { error: error(CallKind::TimedOut(deadline)), late });
                }
                outcome => return outcome,
            }
        }
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
    access: Access,
    ledger: Ledger,
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
        let (client, _) =
            handshake::connect(&self.access, deadline, &self.ledger, ABANDONED_MAX).await?;
        self.publish.send_replace(client);
        Ok(())
    }
}

/// Connects, and returns who uses the connection and who replaces it.
pub(crate) async fn calls(
    access: &Access,
    deadline: Duration,
    ledger: Ledger,
) -> Result<(Calls, Tender), ConnectError> {
    let (client, _) = handshake::connect(access, deadline, &ledger, ABANDONED_MAX).await?;
    let (publish, current) = watch::channel(client);
    Ok((Calls { current }, Tender { access: access.clone(), ledger, publish }))
}

/// Abandoned calls beyond which a connection is replaced: of its four places three
/// would be taken.
const ABANDONED_MAX: usize = 2;
