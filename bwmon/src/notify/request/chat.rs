//! Receivers that show a message in a conversation.

use std::sync::Arc;

use reqwest::Url;
use serde_json::{Value, json};

use super::{Request, RequestError, below};
use crate::{
    config::{Method, Secret},
    core::event::{Event, EventState, Severity},
    notify::{escape::Markup, message::Message},
};

/// <https://docs.slack.dev/messaging/formatting-message-text>: a block to be read, and a text for
/// where blocks are not shown. `verbatim` keeps names from becoming links.
pub(super) fn slack(url: &Url, message: &Message) -> Request {
    /// A block takes 3,000 characters.
    const MOST: usize = 2900;
    let text = message.whole(Markup::Mrkdwn, MOST);
    let body = json!({
        "text": Markup::Mrkdwn.escape(&message.title),
        "blocks": [{
            "type": "section",
            "text": { "type": "mrkdwn", "text": text, "verbatim": true },
        }],
        "unfurl_links": false,
        "unfurl_media": false,
    });
    Request::json(url.clone(), &body)
}

/// <https://discord.com/developers/docs/resources/webhook>: markdown. Nobody is mentioned, whatever
/// the text says.
pub(super) fn discord(url: &Url, message: &Message) -> Request {
    /// A message takes 2,000 characters.
    const MOST: usize = 1900;
    let body = json!({
        "content": message.whole(Markup::Markdown, MOST),
        "allowed_mentions": { "parse": [] },
    });
    Request::json(url.clone(), &body)
}

/// A card of a workflow (<https://adaptivecards.io/explorer/>). Its rich text knows no markup, so
/// what is shown is what is there.
pub(super) fn teams(url: &Url, message: &Message) -> Request {
    /// A message takes 28 KiB, most of which is JSON.
    const MOST: usize = 8 << 10;
    let colour = match (message.state, message.severity) {
        (EventState::Resolved, _) => "Good",
        (_, Severity::Info) => "Accent",
        (_, Severity::Warning) => "Warning",
        (_, Severity::Critical) => "Attention",
    };
    let title = json!({
        "type": "RichTextBlock",
        "inlines": [{
            "type": "TextRun", "text": message.title, "weight": "Bolder", "size": "Medium",
            "color": colour,
        }],
    });
    let body = message.body(Markup::Plain, MOST);
    let lines = body.lines().map(
        |line| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": line }] }),
    );
    let blocks: Vec<Value> = std::iter::once(title).chain(lines).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    });
    let body = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": card,
        }],
    });
    Request::json(url.clone(), &body)
}

/// <https://core.telegram.org/bots/api#sendmessage>: HTML.
pub(super) fn telegram(
    token: &Secret,
    chat: &str,
    url: &Url,
    message: &Message,
) -> Result<Request, RequestError> {
    /// A message takes 4,096 characters.
    const MOST: usize = 4000;
    let body = json!({
        "chat_id": chat,
        "text": message.whole(Markup::Html, MOST),
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
        "disable_notification": is_quiet(message),
    });
    let bot = format!("bot{}", token.reveal());
    Ok(Request::json(below(url, &[&bot, "sendMessage"])?, &body))
}

/// <https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room>. A server takes a
/// transaction once, so the id of the event keeps it from showing twice.
pub(super) fn matrix(
    token: &Secret,
    room: &str,
    url: &Url,
    events: &[Arc<Event>],
) -> Result<Request, RequestError> {
    /// An event takes 64 KiB, with the text in it twice.
    const MOST: usize = 16 << 10;
    let message = Message::of(events);
    let transaction = match events {
        [event] => event.id.clone(),
        // With other events it is another message.
        [first, .., last] => format!("{}-{}-{}", first.id, events.len(), last.id),
        [] => String::new(),
    };
    let kind = if is_quiet(&message) {
        "m.notice"
    } else {
        "m.text"
    };
    let body = json!({
        "msgtype": kind,
        "body": message.whole(Markup::Plain, MOST),
        "format": "org.matrix.custom.html",
        "formatted_body": message.whole(Markup::Html, MOST).replace('\n', "<br>"),
        "m.mentions": {},
    });
    let path = [
        "_matrix",
        "client",
        "v3",
        "rooms",
        room,
        "send",
        "m.room.message",
        &transaction,
    ];
    let request = Request {
        method: Method::Put,
        ..Request::json(below(url, &path)?, &body)
    };
    request.bearer(Some(token))
}

/// Whether nobody needs to look up.
fn is_quiet(message: &Message) -> bool {
    message.state == EventState::Resolved || message.severity == Severity::Info
}
