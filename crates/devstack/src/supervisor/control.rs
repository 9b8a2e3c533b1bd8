//! Requests to a running supervisor, over a socket in the stack's directory that only its owner can
//! open: one line of words in, the answer out.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use crate::progress::{Progress as _, Terminal};

const LONGEST_REQUEST: u64 = 1024;
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
const DONE: &str = "ok ";
const REFUSED: &str = "no ";

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Request {
    pub words: Vec<String>,
    answer: Sender<Result<String, String>>,
}

impl Request {
    pub(super) fn reply(self, outcome: Result<String, String>) {
        // The client may have gone; its request is carried out all the same.
        let _ = self.answer.send(outcome);
    }
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("control.sock")
}

/// Listens in the background. Without a socket the stack runs on, but takes no requests.
pub(super) fn listen(directory: &Path) -> Receiver<Request> {
    let (requests, inbox) = mpsc::channel();
    let path = socket(directory);
    // Whoever holds the directory's lock owns the socket; one that lies there is of the dead.
    let _ = fs::remove_file(&path);
    let listening = UnixListener::bind(&path).and_then(|listener| {
        thread::Builder::new()
            .name("devstack-control".to_owned())
            .spawn(move || serve(&listener, &requests))
    });
    if let Err(error) = listening {
        Terminal.note(&format!(
            "no requests are taken at {}: {error}",
            path.display()
        ));
    }
    inbox
}

fn serve(listener: &UnixListener, requests: &Sender<Request>) {
    for stream in listener.incoming().flatten() {
        if let Err(error) = serve_one(stream, requests) {
            Terminal.note(&format!("a request was not answered: {error}"));
        }
    }
}

fn serve_one(mut stream: UnixStream, requests: &Sender<Request>) -> io::Result<()> {
    stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(&stream)
        .take(LONGEST_REQUEST)
        .read_line(&mut line)?;
    let words = line.split_whitespace().map(str::to_owned).collect();
    let (answer, outcome) = mpsc::channel();
    let stopping = || Err("the stack is stopping".to_owned());
    let reply = match requests.send(Request { words, answer }) {
        Ok(()) => outcome.recv().unwrap_or_else(|_| stopping()),
        Err(_) => stopping(),
    };
    match reply {
        Ok(text) => write!(stream, "{DONE}{text}"),
        Err(text) => write!(stream, "{REFUSED}{text}"),
    }
}

/// Sends a request to the supervisor of the directory and returns its answer.
///
/// # Errors
/// When no supervisor answers, or it refuses; the text is for the person who asked.
pub fn ask(directory: &Path, words: &[&str]) -> Result<String, String> {
    let unreachable = |error: io::Error| format!("the stack does not answer: {error}");
    let mut stream = UnixStream::connect(socket(directory)).map_err(unreachable)?;
    writeln!(stream, "{}", words.join(" ")).map_err(unreachable)?;
    stream.shutdown(Shutdown::Write).map_err(unreachable)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(unreachable)?;
    if let Some(text) = answer.strip_prefix(DONE) {
        return Ok(text.to_owned());
    }
    let text = answer.strip_prefix(REFUSED).unwrap_or(&answer);
    Err(text.to_owned())
}
