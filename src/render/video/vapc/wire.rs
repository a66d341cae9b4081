//! The JSON of a `vapc` box, as the VAP tool writes it. Everything is a claim
//! until [`super::parse`] has checked it; unknown fields are ignored.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Vapc {
    pub info: Info,
    #[serde(default)]
    pub src: Vec<Src>,
    #[serde(default)]
    pub frame: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    pub v: i64,
    pub w: i64,
    pub h: i64,
    pub video_w: i64,
    pub video_h: i64,
    pub a_frame: [i64; 4],
    pub rgb_frame: [i64; 4],
    #[serde(default)]
    pub is_vapx: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Src {
    pub src_id: String,
    pub src_type: String,
    pub src_tag: String,
    pub color: Option<String>,
    pub style: Option<String>,
    pub w: i64,
    pub h: i64,
    pub fit_type: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Frame {
    pub i: i64,
    pub obj: Vec<Obj>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Obj {
    pub src_id: String,
    #[serde(default)]
    pub z: i64,
    pub frame: [i64; 4],
    pub m_frame: [i64; 4],
    #[serde(default)]
    pub mt: i64,
}
