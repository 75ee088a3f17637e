//! Sound for people: WAV files and levels.
