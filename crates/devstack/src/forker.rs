//! The one thread that forks the stack's children.
//!
//! A child's parent-death signal fires when the *thread* that forked it ends. Test threads come and
//! go, so every child is forked by a thread of its own that lives as long as the process.

use std::{
    io,
    process::{Child, Command},
    sync::{OnceLock, mpsc},
    thread,
};

struct Order {
    command: Command,
    reply: mpsc::Sender<io::Result<Child>>,
}

/// Forks and executes the command on the forking thread.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static FORKER: OnceLock<io::Result<mpsc::Sender<Order>>> = OnceLock::new();
    let orders = FORKER
        .get_or_init(start_thread)
        .as_ref()
        .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    let (reply, answer) = mpsc::channel();
    let gone = |_| io::Error::other("the forking thread has ended");
    orders
        .send(Order { command, reply })
        .map_err(|_| gone(()))?;
    answer.recv().map_err(|_| gone(()))?
}

fn start_thread() -> io::Result<mpsc::Sender<Order>> {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::Builder::new()
        .name("devstack-forker".to_owned())
        .spawn(move || {
            for mut order in inbox {
                // Whoever ordered and no longer waits has no use for the child either.
                if let Err(mpsc::SendError(Ok(mut orphan))) =
                    order.reply.send(order.command.spawn())
                {
                    let _ = orphan.kill();
                    let _ = orphan.wait();
                }
            }
        })?;
    Ok(orders)
}
