//! HTTP: one request, one answer, both bounded (RFC 9110).

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{Error, Limits, Tls, Trust};

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers, those that are text.
    pub headers: Vec<(String, String)>,
    /// Its body, whole.
    pub body: Vec<u8>,
}

impl Response {
    /// Where else the answer is said to be (RFC 9110 §15.4).
    fn redirect(&self, url: &str) -> Option<String> {
        let is_one = matches!(self.status, 301 | 302 | 303 | 307 | 308);
        let (_, place) =
            self.headers.iter().find(|(name, _)| is_one && name.eq_ignore_ascii_case("location"))?;
        if !place.starts_with('/') || place.starts_with("//") {
            return Some(place.clone());
        }
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some(format!("{scheme}://{authority}{place}"))
    }
}

/// A client. It keeps connections for the next request.
#[derive(Debug, Clone)]
pub struct Http {
    plain: ureq::Agent,
    /// Made when it is first needed: reading the system's authorities takes a moment.
    secure: Arc<OnceLock<Result<ureq::Agent, String>>>,
    limits: Limits,
    trust: Trust,
}

impl Http {
    /// With these limits. No proxy is used, whatever the environment says: what is asked for is near.
    pub fn new(limits: Limits) -> Http {
        Http::with_trust(limits, Trust::default())
    }

    /// The same, and `https` believes whom it says.
    pub fn with_trust(limits: Limits, trust: Trust) -> Http {
        Http { plain: agent(limits, None), secure: Arc::default(), limits, trust }
    }

    /// `GET`, with the redirects that it takes.
    pub fn read(&self, url: &str, most_bytes: usize) -> Result<Response, Error> {
        let end = Instant::now() + self.limits.whole;
        let mut url = url.to_owned();
        let mut secure = false;
        for _ in 0..=self.limits.redirects {
            let agent = self.agent(&url)?;
            if secure && !is_secure(&url) {
                return Err(Error::Broken(format!("it leads out of TLS, to {url}")));
            }
            secure = is_secure(&url);
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let request = agent.get(&url).header("Accept", "*/*");
            let answer = finish(request.config().timeout_global(Some(left)).build().call(), most_bytes)?;
            match answer.redirect(&url) {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(Error::Broken("too many redirects".into()))
    }

    /// `POST` of JSON.
    pub fn post(&self, url: &str, json: &str, most_bytes: usize) -> Result<Response, Error> {
        self.send(url, &[("Content-Type", "application/json")], json.as_bytes(), most_bytes)
    }

    /// `POST` with these headers, to this address and nowhere else: a redirect is an answer.
    pub fn send(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        most_bytes: usize,
    ) -> Result<Response, Error> {
        let request = self.agent(url)?.post(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        finish(request.send(body), most_bytes)
    }

    /// The agent for an address of this scheme.
    fn agent(&self, url: &str) -> Result<&ureq::Agent, Error> {
        if !is_secure(url) {
            let plain = url.split_once("://").is_some_and(|(it, _)| it.eq_ignore_ascii_case("http"));
            return if plain { Ok(&self.plain) } else { Err(Error::Address(url.to_owned())) };
        }
        if let Some(why) = crate::tls::lacking() {
            return Err(Error::NotSupported(why));
        }
        let made = self.secure.get_or_init(|| {
            Tls::new(&self.trust).map(|tls| agent(self.limits, Some(&tls))).map_err(|error| error.to_string())
        });
        made.as_ref().map_err(|why| Error::Broken(why.clone()))
    }
}

fn agent(limits: Limits, tls: Option<&Tls>) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        // Followed here, so that nobody leads us to another scheme.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(32 << 10)
        .timeout_connect(Some(limits.connect))
        .timeout_global(Some(limits.whole))
        .max_idle_connections_per_host(1)
        .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")));
    match tls {
        Some(tls) => config.https_only(true).tls_config(tls.http.clone()).build().into(),
        None => config.build().into(),
    }
}

fn is_secure(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

fn finish(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    most: usize,
) -> Result<Response, Error> {
    let mut answer = answer.map_err(|error| said(error, most))?;
    let text = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = answer.headers().iter().filter_map(text).collect();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let body =
        answer.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| said(error, most))?;
    Ok(Response { status: answer.status().as_u16(), headers, body })
}

fn said(error: ureq::Error, most: usize) -> Error {
    match error {
        ureq::Error::Timeout(_) => Error::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => Error::TooLong(most),
        ureq::Error::BadUri(uri) => Error::Address(uri),
        ureq::Error::Rustls(error) => Error::Broken(crate::tls::said(&error)),
        ureq::Error::Io(error) => Error::of(&error),
        error => Error::Broken(error.to_string()),
    }
}
