//! What is agreed, as it changes while it is watched: what was given at the start, and what registries tell.

use std::time::{Duration, Instant};

use model::media::{Session, SessionSource};
use model::{Area, Gap, Reason};

use crate::nmos::{Change, Following};

/// So long nothing on the wire is judged while a registry has not told everything: what it does not know yet would be
/// found.
const PATIENCE: Duration = Duration::from_secs(30);

/// Changes that are taken at once.
const MOST_CHANGES: usize = 1024;

/// Sessions that are kept of all registries; what is beyond is counted.
const MOST_SESSIONS: usize = 1 << 16;

/// Registries that are followed, and what is agreed.
pub(super) struct Agreed {
    /// What was given.
    standing: Vec<Session>,
    /// What registries told.
    told: Vec<Session>,
    left_out: u64,
    registries: Vec<Registry>,
    begun: Instant,
}

struct Registry {
    following: Following,
    is_whole: bool,
    /// Why it tells nothing at present.
    silence: Option<String>,
}

/// What became known at once.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Sessions that are new or different.
    pub(super) agreed: Vec<Session>,
    /// Sessions that are agreed no more.
    pub(super) withdrawn: Vec<(SessionSource, String)>,
    /// Whether a registry fell silent or speaks again.
    pub(super) is_about_silence: bool,
}

impl News {
    pub(super) fn changes_sessions(&self) -> bool {
        !self.agreed.is_empty() || !self.withdrawn.is_empty()
    }
}

impl Agreed {
    pub(super) fn begin(standing: Vec<Session>, registries: Vec<Following>) -> Agreed {
        Agreed {
            standing,
            told: Vec::new(),
            left_out: 0,
            registries: registries.into_iter().map(Registry::new).collect(),
            begun: Instant::now(),
        }
    }

    /// All that is agreed.
    pub(super) fn sessions(&self) -> Vec<Session> {
        self.standing.iter().chain(&self.told).cloned().collect()
    }

    /// Whether a registry may still tell what explains that what is there.
    pub(super) fn is_awaited(&self) -> bool {
        self.begun.elapsed() < PATIENCE
            && self.registries.iter().any(|it| !it.is_whole && it.silence.is_none())
    }

    /// Takes what registries told since the last time.
    pub(super) fn hear(&mut self) -> News {
        let mut news = News::default();
        for registry in &mut self.registries {
            let changes: Vec<Change> = registry.following.changes().try_iter().take(MOST_CHANGES).collect();
            for change in changes {
                match change {
                    Change::Session(session) => {
                        let session = *session;
                        match self.told.iter().position(|it| is_same(it, &session)) {
                            Some(at) => self.told.splice(at..=at, [session.clone()]).for_each(drop),
                            None if self.told.len() >= MOST_SESSIONS => {
                                self.left_out += 1;
                                continue;
                            }
                            None => self.told.push(session.clone()),
                        }
                        news.agreed.push(session);
                    }
                    Change::Forgotten(source) => {
                        self.told.retain(|session| {
                            let stays = session.source != source;
                            if !stays {
                                news.withdrawn.push((source.clone(), session.identity.clone()));
                            }
                            stays
                        });
                    }
                    Change::Whole => registry.is_whole = true,
                    Change::Silence(why) => {
                        registry.silence = why;
                        news.is_about_silence = true;
                    }
                    // Of one device or one file: what else is known of it still counts.
                    Change::Trouble(_) => {}
                }
            }
        }
        news
    }

    /// Other sessions and registries from now on; a registry that is followed already goes on.
    pub(super) fn replace(&mut self, standing: Vec<Session>, registries: Option<Vec<Following>>) -> News {
        let gone = std::mem::replace(&mut self.standing, standing.clone());
        let mut news = News::default();
        let withdrawn = |it: &Session| (it.source.clone(), it.identity.clone());
        news.withdrawn
            .extend(gone.iter().filter(|gone| !standing.iter().any(|it| is_same(it, gone))).map(withdrawn));
        news.agreed = standing;
        if let Some(registries) = registries {
            // The threads of those before end by themselves.
            self.registries = registries.into_iter().map(Registry::new).collect();
            news.withdrawn.extend(self.told.drain(..).map(|it| withdrawn(&it)));
            news.is_about_silence = true;
            self.begun = Instant::now();
        }
        news
    }

    /// What is not known, in sentences.
    pub(super) fn troubles(&self) -> Vec<String> {
        let silent = self.registries.iter().filter_map(|registry| {
            let why = registry.silence.as_deref()?;
            Some(format!(
                "the NMOS API at {} does not tell what is agreed: {}; it is asked again and again",
                crate::sanitise::line(registry.following.address()),
                crate::sanitise::line(why),
            ))
        });
        silent.collect()
    }

    /// What is not known, as gaps.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Gap> {
        let silent = self.troubles().into_iter().map(|what| Gap {
            area: Area::Traffic,
            reason: Reason::Unknown,
            what,
            count: None,
        });
        let left_out = (self.left_out > 0).then(|| Gap {
            area: Area::Traffic,
            reason: Reason::LimitReached,
            what: String::from("sessions of registries that were not kept: there are too many"),
            count: Some(self.left_out),
        });
        silent.chain(left_out)
    }
}

impl Registry {
    fn new(following: Following) -> Registry {
        Registry { following, is_whole: false, silence: None }
    }
}

fn is_same(one: &Session, other: &Session) -> bool {
    one.source == other.source && one.identity == other.identity
}
