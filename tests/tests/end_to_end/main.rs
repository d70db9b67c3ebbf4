//! The daemon against the real kernel and its real peers. One program, so that it is linked once, and
//! that tests of all files run side by side: they wait more than they work.

mod alerts;
mod backtest;
mod browser;
mod campaign;
mod captures;
mod channels;
mod commands;
mod completions;
mod conservation;
mod demo;
mod device;
mod devices;
mod encapsulation;
mod flood;
mod harness;
mod history;
mod identity;
mod import;
mod killed;
mod lifecycle;
mod metrics;
mod names;
mod offload;
mod openapi;
mod peers;
mod programs;
mod prometheus;
mod restart;
mod rules;
mod service;
mod store;
mod stream;
mod top;
