mod feed;
mod launcher;
mod libobs;
mod shield;
mod words;
