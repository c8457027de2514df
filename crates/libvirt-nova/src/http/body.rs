//! What is sent in a response.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::Full;
use hyper::body::{self, Frame, SizeHint};

/// What is sent in a response.
pub(super) enum Body {
    /// All at once; its length is told.
    Whole(Full<Bytes>),
    /// In pieces that are made as they are taken.
    Pieces(Pieces),
    /// What happens, as it happens, for as long as somebody takes it.
    Events(Pieces),
}

/// An error is the last one: the connection ends without the end of the body.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>;

impl Body {
    /// Whether it has no end.
    pub(super) fn is_endless(&self) -> bool {
        matches!(self, Self::Events(_))
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                let frame = Pin::new(bytes).poll_frame(cx);
                frame.map_err(|never| match never {})
            }
            Self::Pieces(pieces) | Self::Events(pieces) => {
                pieces.poll_next_unpin(cx).map_ok(Frame::data)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_end_stream(),
            Self::Pieces(_) | Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => bytes.size_hint(),
            Self::Pieces(_) | Self::Events(_) => SizeHint::default(),
        }
    }
}
