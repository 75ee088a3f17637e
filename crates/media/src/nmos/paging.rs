//! How the Query API hands out long lists: the `Link` and `X-Paging` headers (IS-04 v1.3, "APIs: Query Parameters").

/// What the headers of a page say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// The query of the page with what is newer, without its `?`. Registries behind a gateway name hosts that only they
    /// can reach, so that of the address no more than this is used.
    pub next: Option<String>,
    /// The query of the page with what is older.
    pub previous: Option<String>,
    /// How many there are on a page at most.
    pub limit: Option<u64>,
    /// Newer than this, `seconds:nanoseconds`.
    pub since: Option<String>,
    /// And not newer than this.
    pub until: Option<String>,
}

impl Paging {
    /// Reads the headers of an answer; names in any case.
    pub fn parse(headers: &[(String, String)]) -> Paging {
        let mut paging = Paging::default();
        let time = |value: &str| super::parse_time(value.trim()).map(|_| value.trim().to_owned());
        for (name, value) in headers {
            match name.to_ascii_lowercase().as_str() {
                // There may be several headers, or one with all.
                "link" => links(value, &mut paging),
                "x-paging-limit" => paging.limit = value.trim().parse().ok(),
                "x-paging-since" => paging.since = time(value),
                "x-paging-until" => paging.until = time(value),
                _ => {}
            }
        }
        paging
    }
}

/// What follows a page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The page with this query.
    Page(String),
    /// Nothing: it was the last.
    End,
    /// Nothing that would ever end.
    Astray,
}

impl Paging {
    /// What follows this page, which has so many and was asked for with `here`; `since` writes the query of what is newer.
    pub(super) fn after(self, count: usize, here: &str, since: impl Fn(&str) -> String) -> Next {
        let full = self.limit.is_none_or(|limit| usize::try_from(limit).is_ok_and(|limit| count >= limit));
        if count == 0 || !full {
            return Next::End;
        }
        // Between the same two times there is nothing.
        let until = self.until.filter(|until| self.since.as_ref() != Some(until));
        match self.next.or_else(|| Some(since(&until?))) {
            None => Next::End,
            Some(next) if next == here => Next::Astray,
            Some(next) => Next::Page(next),
        }
    }
}

/// `<address>; rel="next", <address>; rel="prev"` (RFC 8288 §3).
fn links(value: &str, paging: &mut Paging) {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((address, after)) = after.split_once('>') else { return };
        let parameters = after.split_once('<').map_or(after, |(before, _)| before);
        rest = after;
        let graphic = address.bytes().all(|byte| byte.is_ascii_graphic());
        let Some((_, query)) = address.split_once('?').filter(|_| graphic) else { continue };
        let relation = parameters.split([';', ',']).find_map(|parameter| {
            let (name, value) = parameter.trim().split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("rel")
                .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        match relation.as_deref() {
            Some("next") => paging.next = Some(query.to_owned()),
            Some("prev") => paging.previous = Some(query.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_is() {
        let headers = [
            (
                "Link",
                "<http://inside/x-nmos/query/v1.3/nodes/?paging.since=9:1&paging.limit=2>; rel=\"next\", \
                 <http://inside/?paging.until=3:4,5>;rel=prev, <http://inside/nothing>; rel=\"first\"",
            ),
            ("x-paging-LIMIT", "2"),
            ("X-Paging-Since", "3:4"),
            ("X-Paging-Until", "yesterday"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let paging = Paging::parse(&headers);
        assert_eq!(paging.next.as_deref(), Some("paging.since=9:1&paging.limit=2"));
        assert_eq!(paging.previous.as_deref(), Some("paging.until=3:4,5"));
        assert_eq!((paging.limit, paging.since.as_deref(), paging.until), (Some(2), Some("3:4"), None));
        let link = headers[0].1.clone();
        for end in 0..link.len() {
            let whole = Paging::parse(&[("link".to_owned(), link.get(..end).unwrap().to_owned())]);
            assert!(whole.next.is_none() || link.get(..end).unwrap().contains("rel="));
        }
    }
}
