//! The server: one thread that answers, one that listens to the board, and nothing that outlives them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use engine::board::Board;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::access::Tokens;
use crate::caller::Connection;
use crate::keeper::Keeper;
use crate::routes;
use crate::settings::{ApiError, ApiSettings};
use crate::shared::Shared;
use crate::taking::Taking;
use crate::tls;

/// How long a peer may take for its headers, and for a handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a peer may take nothing of an answer.
const STUCK: Duration = Duration::from_secs(30);
/// Threads that look things up, and read captures.
const MOST_WORKERS: usize = 4;
/// Bytes of headers, and how many, that a request may have.
const MOST_HEADER_BYTES: usize = 32 * 1024;
const MOST_HEADERS: usize = 64;

/// The API, while it runs.
pub struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen and to answer.
    pub fn begin(
        settings: ApiSettings,
        board: Arc<Board>,
        keeper: Arc<dyn Keeper>,
    ) -> Result<Server, ApiError> {
        settings.check()?;
        let acceptor = tls::acceptor(&settings)?;
        let tokens = Tokens::open(&settings.tokens)
            .map_err(|error| ApiError::File(settings.tokens.clone(), error.to_string()))?;
        let refused = |error| ApiError::Listen(settings.listen, error);
        let listener = TcpListener::bind(settings.listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MOST_WORKERS)
            .thread_name("api-worker")
            .build()
            .map_err(ApiError::System)?;
        let shared = Shared::new(settings, address, board, keeper, tokens).map_err(ApiError::System)?;
        let shared = Arc::new(shared);
        let ending = Arc::new(AtomicBool::new(false));
        let (end, ended) = oneshot::channel();

        let (listening, told) = (Arc::clone(&shared), Arc::clone(&ending));
        let feed = thread::Builder::new()
            .name(String::from("api-feed"))
            .spawn(move || listening.feed.listen(&listening.board, &told))
            .map_err(ApiError::System)?;
        let answering = thread::Builder::new().name(String::from("api")).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, acceptor, shared) => {}
                    _ = ended => {}
                }
            });
            runtime.shutdown_background();
        });
        let answering = answering.map_err(ApiError::System)?;
        Ok(Server { address, end: Some(end), ending, threads: vec![feed, answering] })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and waits until its threads are gone.
    pub fn end(mut self) {
        self.tell_to_end();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }

    fn tell_to_end(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tell_to_end();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let room = usize::try_from(shared.settings.connections).unwrap_or(usize::MAX);
    let room = Arc::new(Semaphore::new(room));
    let router = routes::router(&shared);
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, there)) = listener.accept().await else {
            // No descriptors are left: some will be free when connections end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(here) = stream.local_addr() else { continue };
        let _ = stream.set_nodelay(true);
        let connection = Arc::new(Connection { here, there, tls: acceptor.is_some(), user: OnceCell::new() });
        let router = router.clone();
        match acceptor.clone() {
            None => drop(tokio::spawn(answer(stream, connection, router, permit))),
            Some(acceptor) => drop(tokio::spawn(async move {
                let shaken = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    answer(stream, connection, router, permit).await;
                }
            })),
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Arc<Connection>,
    router: Router,
    _permit: OwnedSemaphorePermit,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Arc::clone(&connection));
        router.call(request)
    });
    // What goes wrong with one connection is that peer's affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MOST_HEADER_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(Taking::new(stream, STUCK)), service)
        .await;
}
