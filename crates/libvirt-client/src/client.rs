//! The handle to a connection.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use libvirt_wire::{Call, RemoteError, call::ConnectClose};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{self, Instant},
};

use crate::{
    Ending,
    error::{CallError, CallKind},
    ledger::{Entry, Ledger},
    question::{Answered, Question, Reply},
    waiter::{Unanswered, Waiter},
};

/// A cheap handle to one connection, whose socket a task of its own holds.
///
/// When the last handle is dropped the task says goodbye and ends.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) messages: mpsc::Sender<Message>,
    permits: Arc<Semaphore>,
    pub(crate) ledger: Ledger,
    ending: Arc<OnceLock<Ending>>,
}

/// What a handle tells the connection's task.
#[derive(Debug)]
pub(crate) enum Message {
    /// Make this call.
    Request(Request),
    /// A caller has given up waiting: see whether the connection is still good.
    GaveUp,
}

/// What came back, and when.
pub(crate) type Answer = Result<(Vec<u8>, Instant), CallKind>;

/// A call on its way to the socket.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) procedure: libvirt_wire::Procedure,
    pub(crate) arguments: Vec<u8>,
    pub(crate) reply: oneshot::Sender<Answer>,
    /// Stays taken until the daemon has answered, whether or not anybody still
    /// waits: what counts is how many calls the daemon has before it.
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) entry: Entry,
}

/// The most calls in flight on one connection.
///
/// The daemon stops reading a socket that has 5 (`max_client_requests`) under
/// way, and with it our answers to its pings.
pub const WINDOW: usize = 4;

impl Client {
    /// A handle, and the task's end of it.
    pub(crate) fn new(ledger: Ledger) -> (Self, TaskEnd) {
        let (messages, receiver) = mpsc::channel(QUEUE);
        let permits = Arc::new(Semaphore::new(WINDOW));
        let ending = Arc::default();
        let (of_task, of_end) = (Arc::clone(&permits), Arc::clone(&ending));
        let end = TaskEnd { messages: receiver, permits: of_task, ending: of_end };
        (Self { messages, permits, ledger, ending }, end)
    }

    /// Makes a call and waits for its reply, `deadline` in all.
    ///
    /// Dropping the future gives the call up, as the deadline does: libvirtd may
    /// go on with it, and it counts as in flight until libvirtd has answered.
    ///
    /// # Errors
    ///
    /// When libvirtd refuses the call, does not answer in time, or hangs up.
    pub async fn call<C: Call>(&self, call: &C, deadline: Duration) -> Result<Reply<C>, CallError> {
        let answered = self.ask(&Question::new(call), deadline).await;
        answered.map(Reply::new).map_err(|unanswered| unanswered.error)
    }

    /// Asks, and waits for the answer, `deadline` in all. Where the deadline passed, the
    /// error holds what may yet come.
    pub(crate) async fn ask(
        &self,
        question: &Question,
        deadline: Duration,
    ) -> Result<Answered, Unanswered> {
        let error = |kind| CallError::new(question.procedure, kind);
        let failed = |kind, late| Unanswered { error: error(kind), late };
        let now = Instant::now();
        let until = now.checked_add(deadline).unwrap_or(now);
        let mut waiter = match time::timeout_at(until, self.send(question)).await {
            Ok(Ok(waiter)) => waiter,
            Ok(Err(kind)) => return Err(failed(kind, None)),
            Err(_) => return Err(failed(CallKind::TimedOut(deadline), None)),
        };
        let answer = match time::timeout_at(until, waiter.answer()).await {
            Ok(answer) => answer,
            // It may have been this process that was held up, with the reply in its socket.
            Err(_) => match waiter.look_again().await {
                Some(answer) => answer,
                None => {
                    let late = Some(waiter.give_up());
                    return Err(failed(CallKind::TimedOut(deadline), late));
                }
            },
        };
        let answered = |(payload, at)| Answered { payload, at, ledger: self.ledger.clone() };
        answer.map(answered).map_err(|kind| failed(kind, None))
    }

    /// Hands a question to the task.
    async fn send(&self, question: &Question) -> Result<Waiter<'_>, CallKind> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let Ok(permit) = permit else { return Err(CallKind::NotSent) };
        let (reply, answer) = oneshot::channel();
        let (procedure, arguments) = (question.procedure, question.arguments.clone());
        let entry = self.ledger.enter(question);
        let waiter = Waiter::new(answer, entry.waiting(), self);
        let request = Request { procedure, arguments, reply, permit, entry };
        if self.messages.send(Message::Request(request)).await.is_err() {
            return Err(CallKind::NotSent);
        }
        Ok(waiter)
    }

    /// Waits until the connection is over.
    pub async fn closed(&self) {
        self.messages.closed().await;
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// How the connection ended; `None` where it has not, or it was we who closed it.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.get()
    }

    /// Says goodbye, so that libvirtd logs no fault, and waits for its answer.
    ///
    /// Other handles find the connection closed.
    pub async fn close(&self) {
        let _ = self.call(&ConnectClose, FAREWELL).await;
    }
}

/// The task's end of a handle.
#[derive(Debug)]
pub(crate) struct TaskEnd {
    pub(crate) messages: mpsc::Receiver<Message>,
    permits: Arc<Semaphore>,
    ending: Arc<OnceLock<Ending>>,
}

impl TaskEnd {
    /// Tells whoever asks how the connection ended.
    pub(crate) fn end(&self, ending: Ending) {
        let _ = self.ending.set(ending);
    }

    /// Takes no more calls; whoever waits to make one finds the connection closed.
    pub(crate) fn retire(&mut self) {
        self.permits.close();
        self.messages.close();
    }
}

/// Messages on their way to the task: a request for each permit, and as many
/// callers that gave up.
const QUEUE: usize = 2 * WINDOW;
/// How long a goodbye may take.
pub(crate) const FAREWELL: Duration = Duration::from_millis(500);

/// Reads the error that a reply carries instead of a result.
pub(crate) fn refusal(payload: &[u8]) -> CallKind {
    use libvirt_wire::xdr::{Decode, Reader};

    match RemoteError::decode(&mut Reader::new(payload)) {
        Ok(error) => CallKind::Refused(error),
        Err(error) => CallKind::Decode(error),
    }
}
