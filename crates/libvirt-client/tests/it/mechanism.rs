//! What a daemon and a SASL mechanism say to each other, as calls and replies.

use crate::peer::{Called, OK, Peer, string};

/// `REMOTE_AUTH_SASL` alone.
pub(crate) const SASL: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1];

/// A call of a client, and what the mechanism says in it.
pub(crate) struct Step {
    pub(crate) call: Called,
    pub(crate) said: Option<Vec<u8>>,
}

/// Offers mechanisms, and returns the one that the client begins with; `None` where it goes.
pub(crate) async fn offer(peer: &mut Peer, mechanisms: &str) -> Option<(String, Step)> {
    peer.answer(66, OK, SASL).await;
    peer.answer(67, OK, &string(mechanisms)).await;
    let call = peer.called().await?;
    assert_eq!(call.procedure, 68, "{call:?}");
    let (len, rest) = call.payload.split_first_chunk().unwrap();
    let len: usize = u32::from_be_bytes(*len).try_into().unwrap();
    let mechanism = String::from_utf8(rest[..len].to_vec()).unwrap();
    let said = said(&rest[len.next_multiple_of(4)..]);
    Some((mechanism, Step { call, said }))
}

/// The next step of a mechanism.
pub(crate) async fn step(peer: &mut Peer) -> Step {
    let call = peer.called().await.unwrap();
    assert_eq!(call.procedure, 69, "{call:?}");
    Step { said: said(&call.payload), call }
}

/// What a mechanism says; `None` where it says nothing, which is not the same as an empty message.
fn said(payload: &[u8]) -> Option<Vec<u8>> {
    let mut words = payload.chunks(4).map(|word| i32::from_be_bytes(word.try_into().unwrap()));
    let (is_nil, len) = (words.next().unwrap(), words.next().unwrap());
    assert_eq!(words.len(), usize::try_from(len).unwrap());
    let bytes: Vec<u8> = words.map(|word| i8::try_from(word).unwrap().cast_unsigned()).collect();
    (is_nil == 0).then_some(bytes)
}

/// A daemon's answer to what a mechanism said.
pub(crate) async fn reply(peer: &mut Peer, to: &Step, is_complete: bool, data: Option<&str>) {
    let text = data.unwrap_or_default();
    let len = u32::try_from(text.len()).unwrap();
    let head = [u32::from(is_complete), u32::from(data.is_none()), len];
    let words = head.into_iter().chain(text.bytes().map(u32::from));
    let payload: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    peer.reply(&to.call, OK, &payload).await;
}
