//! RTSP (RFC 2326, RFC 7826): messages, and the sessions that are negotiated with them.
