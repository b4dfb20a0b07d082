//! (in progress)
pub struct HttpSink;
