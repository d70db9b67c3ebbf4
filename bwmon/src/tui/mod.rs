//! `bwmon top`: who uses the line now, on a terminal.
//!
//! Data goes one way: a `source` brings samples, of a daemon or of the engine in this process; the
//! `model` knows what is shown of them; the `view` draws it; the `terminal` is what it is drawn on.
//! What somebody does goes from the terminal to the model. Only `screen` knows them all.
//!
//! Nothing here counts, judges or changes anything.

#[cfg(test)]
mod fixture;
mod input;
mod layout;
mod minute;
mod model;
mod screen;
mod source;
mod stop;
mod terminal;
mod units;
mod view;

pub(crate) use self::{
    screen::show,
    source::{Source, Update},
    stop::Stop,
    view::Look,
};
