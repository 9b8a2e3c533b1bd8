//! The quiet time: what ends by itself is started again, and requests are answered.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{Supervisor, control::Request, member::Member, restarts::Restarts};
use crate::progress::{Progress as _, Terminal};

const TICK: Duration = Duration::from_millis(250);

pub(super) fn until_interrupted(supervisor: &mut Supervisor, requests: &Receiver<Request>) {
    let mut watch = Watch::default();
    while !supervisor.interrupt.is_raised() {
        match requests.recv_timeout(TICK) {
            Ok(request) => {
                let reply = watch.answer(supervisor, &request.words);
                request.reply(reply);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK),
        }
        watch.mend(supervisor);
    }
}

#[derive(Debug, Default)]
struct Watch {
    restarts: BTreeMap<&'static str, Restarts>,
}

impl Watch {
    fn mend(&mut self, supervisor: &mut Supervisor) {
        for member in supervisor.members() {
            let Some(status) = supervisor.ended(member) else {
                continue;
            };
            let restarts = self.restarts.entry(member.name()).or_default();
            let now = Instant::now();
            if let Some(delay) = restarts.ended(now) {
                Terminal.note(&format!(
                    "{} ended ({status}); it is started again in {:.1} s",
                    member.name(),
                    delay.as_secs_f64()
                ));
            }
            if restarts.is_due(now) {
                restarts.started(now);
                tell_start(member, supervisor.start_member(member));
            }
        }
    }

    fn answer(&mut self, supervisor: &mut Supervisor, words: &[String]) -> Result<String, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["status"] => Ok(status(supervisor)),
            ["stop", name] => {
                let member = self.take_over(supervisor, name)?;
                supervisor
                    .stop_member(member)
                    .map_err(|error| error.to_string())?;
                Ok(format!(
                    "{name} is stopped; `devstack start {name}` brings it back"
                ))
            }
            ["start", name] => {
                let member = self.take_over(supervisor, name)?;
                if supervisor.pid(member).is_some() {
                    return Ok(format!("{name} runs already"));
                }
                supervisor
                    .start_member(member)
                    .map_err(|error| error.to_string())?;
                Ok(format!("{name} is started"))
            }
            _ => Err("this request is not known; is the running stack of another version?".into()),
        }
    }

    fn take_over(&mut self, supervisor: &Supervisor, name: &str) -> Result<Member, String> {
        let Some(member) = supervisor.member(name) else {
            let names: Vec<_> = supervisor.members().into_iter().map(Member::name).collect();
            return Err(format!(
                "there is no `{name}` here, only {}",
                names.join(", ")
            ));
        };
        self.restarts.entry(member.name()).or_default().forget();
        Ok(member)
    }
}

fn tell_start(member: Member, outcome: crate::error::Result<()>) {
    let name = member.name();
    match outcome {
        Ok(()) => Terminal.note(&format!("{name} runs again")),
        Err(error) => Terminal.note(&format!("{name} does not start: {error}")),
    }
}

fn status(supervisor: &mut Supervisor) -> String {
    supervisor
        .members()
        .into_iter()
        .map(|member| match supervisor.pid(member) {
            Some(pid) => format!("{:<12} running   pid {pid}", member.name()),
            None => format!("{:<12} stopped", member.name()),
        })
        .collect::<Vec<_>>()
        .join("\n")
}
