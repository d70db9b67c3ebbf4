//! The wiring: samples and keys go to the model, the model is drawn.

use anyhow::Context;
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};

use super::{
    input::Input,
    model::{Flow, Model},
    source::{Source, Update},
    stop::Stop,
    terminal::Terminal,
    units::Units,
    view::{self, Look},
};

/// Shows what a source brings, until somebody has seen enough or it ends. `first` is what it brought
/// already.
pub(crate) async fn show(
    source: &mut Source,
    first: Update,
    look: Look,
    stop: &mut Stop,
) -> anyhow::Result<()> {
    let suspend = signal(SignalKind::from_raw(libc::SIGTSTP));
    let mut suspend = suspend.context("cannot wait for signals")?;
    let mut terminal = Terminal::new()?;
    let mut model = Model::new(terminal.size()?, Units::default());
    take_in(&mut model, first);
    loop {
        source.want(model.wants());
        terminal.draw(|frame| {
            let area = frame.area();
            view::draw(&model, look, area, frame.buffer_mut());
        })?;
        let flow = select! {
            biased;
            () = stop.asked() => return Ok(()),
            _ = suspend.recv() => Flow::Suspend,
            input = terminal.input() => all_inputs(&mut model, &mut terminal, input?)?,
            update = source.next() => match update {
                Some(update) => {
                    take_in(&mut model, update);
                    Flow::GoOn
                }
                // Why, it says when it is closed.
                None => return Ok(()),
            },
        };
        match flow {
            Flow::GoOn => {}
            Flow::Quit => return Ok(()),
            Flow::Redraw => terminal.redraw()?,
            Flow::Suspend => {
                terminal.lend(sleep)?;
                let (width, height) = terminal.size()?;
                model.on(Input::Resize { width, height });
            }
        }
    }
}

fn take_in(model: &mut Model, update: Update) {
    match update {
        Update::Host(host) => model.name_host(host),
        Update::Sample(sample) => model.apply(*sample),
        Update::Alert(alert) => model.alert(alert),
        Update::Lost(reason) => model.lose(reason),
        Update::Past(want, past) => model.remember(&want, past),
    }
}

/// Everything that was done until now, so that a held key does not pile up frames.
fn all_inputs(model: &mut Model, terminal: &mut Terminal, first: Input) -> anyhow::Result<Flow> {
    let mut next = Some(first);
    while let Some(input) = next {
        match model.on(input) {
            Flow::GoOn => next = terminal.input_now()?,
            flow => return Ok(flow),
        }
    }
    Ok(Flow::GoOn)
}

/// Goes to sleep until the shell wakes it up.
fn sleep() {
    use nix::sys::signal::{Signal, raise};
    if let Err(error) = raise(Signal::SIGSTOP) {
        log::debug!("cannot stop: {error}");
    }
}
