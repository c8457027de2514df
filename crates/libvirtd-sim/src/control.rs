//! The socket that takes commands.

use std::{io, path::Path};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    sync::{mpsc::UnboundedSender, oneshot},
    task,
};

use crate::{daemon, simulator::Order};

/// Takes commands on a socket for as long as the simulator runs.
pub(crate) fn listen(path: &Path, orders: UnboundedSender<Order>) -> io::Result<()> {
    let listener = daemon::listen(path)?;
    task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            task::spawn_local(converse(stream, orders.clone()));
        }
    });
    Ok(())
}

/// One command a line, one answer a command, until the other side has enough.
async fn converse(stream: UnixStream, orders: UnboundedSender<Order>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (sender, outcome) = oneshot::channel();
        let answer = Box::new(|it| {
            let _ = sender.send(it);
        });
        let _ = orders.send(Order::Command(line, answer));
        let text = match outcome.await {
            Ok(Ok(())) => "ok\n".to_owned(),
            Ok(Err(error)) => format!("error: {error}\n"),
            Err(_) => return,
        };
        if writer.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}
