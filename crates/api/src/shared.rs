//! What all requests share: the board, the keeper, who is logged in, and what was worked out once for all.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine::board::Board;
use tokio::sync::Semaphore;

use crate::access::{self, Tokens};
use crate::atlas::Atlas;
use crate::caller::{Logins, Rates};
use crate::captures::Captures;
use crate::feed::Feed;
use crate::keeper::Keeper;
use crate::settings::ApiSettings;

/// Event streams at a time.
pub(crate) const MOST_STREAMS: usize = 256;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) settings: ApiSettings,
    pub(crate) address: SocketAddr,
    pub(crate) board: Arc<Board>,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) feed: Feed,
    pub(crate) captures: Captures,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) own_user: Option<u32>,
    pub(crate) answered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) secret: [u8; 32],
    tokens: Mutex<Tokens>,
    logins: Mutex<Logins>,
    rates: Mutex<Rates>,
    atlas: Mutex<Option<Arc<Atlas>>>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        settings: ApiSettings,
        address: SocketAddr,
        board: Arc<Board>,
        keeper: Arc<dyn Keeper>,
        tokens: Tokens,
    ) -> std::io::Result<Shared> {
        Ok(Shared {
            feed: Feed::new(board.current().since),
            captures: Captures::new(&settings),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            own_user: engine::own_user(),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            secret: access::random()?,
            tokens: Mutex::new(tokens),
            logins: Mutex::default(),
            rates: Mutex::new(Rates::new(settings.requests_per_second)),
            atlas: Mutex::new(None),
            settings,
            address,
            board,
            keeper,
        })
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        held(&self.tokens)
    }

    pub(crate) fn logins(&self) -> MutexGuard<'_, Logins> {
        held(&self.logins)
    }

    pub(crate) fn may_ask(&self, peer: crate::caller::Peer, cost: f64) -> bool {
        held(&self.rates).take(peer, cost, Instant::now())
    }

    /// What is known now, sorted by ports; worked out once for each look and judgement.
    pub(crate) fn atlas(&self) -> Arc<Atlas> {
        let current = self.board.current();
        let mut kept = held(&self.atlas);
        if let Some(atlas) = kept.as_ref().filter(|atlas| atlas.is_of(&current)) {
            return Arc::clone(atlas);
        }
        let atlas = Arc::new(Atlas::of(&current));
        *kept = Some(Arc::clone(&atlas));
        atlas
    }

    pub(crate) fn count(&self, refused: bool) {
        let counter = if refused { &self.refused } else { &self.answered };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What a browser must bring along for a caller whom it answers for.
    pub(crate) fn csrf(&self, of: &str) -> String {
        use sha2::Digest as _;
        let digest = sha2::Sha256::new().chain_update(self.secret).chain_update(of).finalize();
        access::hex(&digest)
    }
}
