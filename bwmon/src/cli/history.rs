//! `bwmon history`: what a device sent and received over time, as a chart; and copies of all that is
//! kept.

use std::process::ExitCode;

use super::{
    args::{BackupArgs, HistoryAction, HistoryArgs, Options},
    ask::{Answer, Question},
    chart::{Bars, Glyphs},
    output::{Look, print},
    printable::printable,
    report::{moment, what},
};
use crate::{
    config::{self, Overrides},
    core::{human, policy::Scope},
    past::{HistoryAnswer, HistoryAsked},
    store,
};

const PATH: &str = "/api/v1/history";

/// Asks and prints, or copies.
///
/// # Errors
///
/// When there is no answer, stdout takes none, or the copy can't be made.
pub fn history(options: &Options, args: &HistoryArgs) -> anyhow::Result<ExitCode> {
    if let Some(HistoryAction::Backup(args)) = &args.action {
        return backup(options, args);
    }
    let asked = HistoryAsked {
        device: args.device.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        step: args.step.clone(),
    };
    let parameters = [
        ("device", &args.device),
        ("from", &args.from),
        ("to", &args.to),
        ("step", &args.step),
    ];
    let question = Question {
        path: PATH,
        query: parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect(),
        to_past: &|past| Ok(past.answer_history(&asked)?),
        rows: |answer: HistoryAnswer| answer.points.into_iter(),
    };
    let text = match question.ask(options, &args.form)? {
        Answer::Machines(_, text) => text,
        Answer::People(answer) => render(
            &answer,
            args.scope.unwrap_or(answer.scope),
            Look::of_stdout(options.color),
            Glyphs::of_locale(),
        ),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn backup(options: &Options, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let config = config::load(&Overrides {
        config: options.config.clone(),
        state_dir: args.state_dir.clone(),
        ..Overrides::default()
    })?;
    let whether = match args.force {
        true => store::Existing::Replace,
        false => store::Existing::Keep,
    };
    let bytes = store::backup(&config.state_dir, &args.file, whether)?;
    print(&format!(
        "{} in {}\n",
        human::bytes(bytes),
        printable(&args.file.to_string_lossy())
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn render(answer: &HistoryAnswer, scope: Scope, look: Look, glyphs: Glyphs) -> String {
    let who = match (&answer.name, &answer.device) {
        (Some(name), Some(id)) if name == id => printable(id).into_owned(),
        (Some(name), Some(id)) => format!("{} ({})", printable(name), printable(id)),
        (_, Some(id)) => printable(id).into_owned(),
        (_, None) => "all devices".to_owned(),
    };
    let (from, to) = (moment(&answer.from), moment(&answer.to));
    let mut text = format!("{who}, {from} to {to}, {}\n", what(scope));
    if answer.points.is_empty() {
        text.push_str("nothing is known of that time\n");
        return text;
    }
    let amounts: Vec<_> = answer
        .points
        .iter()
        .map(|point| (point.seconds, point.amounts.each(scope)))
        .collect();
    for (title, is_sent) in [("received", false), ("sent", true)] {
        let steps = amounts
            .iter()
            .map(|(seconds, (sent, received))| (*seconds, if is_sent { *sent } else { *received }));
        let bars = Bars::new(steps, look.width);
        text.push('\n');
        text.push_str(&bars.title(title));
        text.push_str(&bars.render(glyphs));
        text.push_str(&bars.axis(&from, &to, glyphs));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};
    use crate::past::{Amounts, Point};

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn day() -> HistoryAnswer {
        let point = |number: u64| Point {
            at: String::new(),
            seconds: 180.0,
            amounts: Amounts {
                sent: 1_000_000 * (number % 48),
                received: match number {
                    200..300 => 200_000_000,
                    300..400 => 100_000_000 + (number - 300) * 3_000_000,
                    400 => 1,
                    _ => 0,
                },
                sent_local: 0,
                ..Amounts::default()
            },
        };
        HistoryAnswer {
            from: "2026-03-07T14:03:00+01:00".to_owned(),
            to: "2026-03-08T14:03:11+01:00".to_owned(),
            step_seconds: 180,
            scope: Scope::Internet,
            device: Some("02:00:00:00:00:05".to_owned()),
            name: Some("Lap\u{202e}top".to_owned()),
            points: (0..480).map(point).collect(),
        }
    }

    #[test]
    fn a_day_as_a_chart() {
        insta::assert_snapshot!(render(&day(), Scope::Internet, LOOK, Glyphs::Blocks), @r#"
        Lap�top (02:00:00:00:00:05), 2026-03-07 14:03 to 2026-03-08 14:03, internet traffic

        received: 44.9 GB, a column is 24 min
        17.2 Mbit/s │                                               ▂▅█
                    │                                            ▁▄▇███
                    │                         ▁▁▁▁▁▁▁▁▁▁▁▁     ▃▆██████
                    │                         ████████████▃ ▂▅█████████
                    │                         █████████████▇███████████
                    │                         █████████████████████████▁
                  0 └────────────────────────────────────────────────────────────
                     2026-03-07 14:03                            2026-03-08 14:03

        sent: 11.3 GB, a column is 24 min
        1.93 Mbit/s │     █     █     █     █     █     █     █     █     █     █
                    │    ▇█    ▇█    ▇█    ▇█    ▇█    ▇█    ▇█    ▇█    ▇█    ▇█
                    │   ▆██   ▆██   ▆██   ▆██   ▆██   ▆██   ▆██   ▆██   ▆██   ▆██
                    │  ▆███  ▆███  ▆███  ▆███  ▆███  ▆███  ▆███  ▆███  ▆███  ▆███
                    │ ▅████ ▅████ ▅████ ▅████ ▅████ ▅████ ▅████ ▅████ ▅████ ▅████
                    │▄█████▄█████▄█████▄█████▄█████▄█████▄█████▄█████▄█████▄█████
                  0 └────────────────────────────────────────────────────────────
                     2026-03-07 14:03                            2026-03-08 14:03
        "#);
    }

    #[test]
    fn a_day_where_there_is_only_ascii() {
        let text = render(&day(), Scope::Internet, LOOK, Glyphs::Ascii);
        let chart: String = text
            .lines()
            .skip(2)
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(chart.is_ascii(), "{chart}");
        insta::assert_snapshot!(chart, @r#"
        received: 44.9 GB, a column is 24 min
        17.2 Mbit/s |                                               .##
                    |                                            .#####
                    |                         ............     .#######
                    |                         ############. .##########
                    |                         #########################
                    |                         #########################.
                  0 +------------------------------------------------------------
                     2026-03-07 14:03                            2026-03-08 14:03

        sent: 11.3 GB, a column is 24 min
        1.93 Mbit/s |     #     #     #     #     #     #     #     #     #     #
                    |    ##    ##    ##    ##    ##    ##    ##    ##    ##    ##
                    |   ###   ###   ###   ###   ###   ###   ###   ###   ###   ###
                    |  ####  ####  ####  ####  ####  ####  ####  ####  ####  ####
                    | ##### ##### ##### ##### ##### ##### ##### ##### ##### #####
                    |############################################################
                  0 +------------------------------------------------------------
                     2026-03-07 14:03                            2026-03-08 14:03
        "#);
    }

    #[test]
    fn silence_is_shown_as_such() {
        let mut answer = day();
        answer.points.truncate(3);
        answer.device = None;
        answer.name = None;
        insta::assert_snapshot!(render(&answer, Scope::Local, LOOK, Glyphs::Blocks), @r#"
        all devices, 2026-03-07 14:03 to 2026-03-08 14:03, local traffic

        received: 0 B, a column is 3 min
            0 bit/s │
                    │
                    │
                    │
                    │
                    │
                  0 └───
                     2026-03-07 14:03 2026-03-08 14:03

        sent: 0 B, a column is 3 min
            0 bit/s │
                    │
                    │
                    │
                    │
                    │
                  0 └───
                     2026-03-07 14:03 2026-03-08 14:03
        "#);
        answer.points.clear();
        insta::assert_snapshot!(render(&answer, Scope::All, LOOK, Glyphs::Blocks), @r#"
        all devices, 2026-03-07 14:03 to 2026-03-08 14:03, all traffic
        nothing is known of that time
        "#);
    }
}
