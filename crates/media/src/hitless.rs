//! Two legs of one stream joined (ST 2022-7).
