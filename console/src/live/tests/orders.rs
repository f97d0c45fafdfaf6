//! Commands: which way they leave, and what is known of them.

use super::*;

#[test]
fn a_command_without_a_connection_is_told_as_not_sent_and_never_sent_later() {
    let mut model = live(&[JUNIPER]);
    reduce(&mut model, Input::SocketClosed, at(SECOND));
    let order = Input::Order {
        command: CommandId(Uuid::from_u128(1)),
        robot: JUNIPER,
        verb: Verb::Stop,
        frame: None,
        words: String::new(),
    };

    let now = reduce(&mut model, order, at(SECOND));
    reduce(&mut model, Input::TryNow, at(SECOND));
    reduce(&mut model, Input::SocketOpened, at(SECOND));
    let later = reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(SECOND));

    assert!(now.is_empty());
    let is_command = |effect: &Effect| matches!(effect, Effect::Send(FromConsole::Command(_)));
    assert!(!later.iter().any(is_command));
    let entry = model.commands.iter().next().unwrap();
    assert!(matches!(entry.standing, Standing::NotSent { .. }));
}

#[test]
fn a_command_takes_the_channel_of_its_own_robot_and_the_socket_otherwise() {
    let mut model = watching();
    view_happens(&mut model, ViewEvent::Connected, 0);
    view_happens(&mut model, ViewEvent::Channel { is_open: true }, 0);
    let order = |robot| Input::Order {
        command: CommandId(Uuid::from_u128(1)),
        robot,
        verb: Verb::Stop,
        frame: None,
        words: String::new(),
    };

    let own = reduce(&mut model, order(JUNIPER), at(0));
    let other = reduce(&mut model, order(ROWAN), at(0));

    assert!(matches!(
        own[..],
        [
            Effect::SendOnChannel(FromConsole::Command(_)),
            Effect::Send(FromConsole::Command(_))
        ]
    ));
    assert!(matches!(other[..], [Effect::Send(FromConsole::Command(_))]));
}

#[test]
fn the_fate_of_a_command_follows_the_gateway_through_a_broken_session() {
    let mut model = live(&[JUNIPER]);
    let command = CommandId(Uuid::from_u128(1));
    let order = Input::Order {
        command,
        robot: JUNIPER,
        verb: Verb::Stop,
        frame: None,
        words: String::new(),
    };
    reduce(&mut model, order, at(SECOND));
    reduce(
        &mut model,
        heard(ToConsole::Command(recorded(command, Fate::Sent))),
        at(SECOND),
    );

    reduce(&mut model, Input::SocketClosed, at(2 * SECOND));
    reduce(&mut model, Input::TryNow, at(2 * SECOND));
    reduce(&mut model, Input::SocketOpened, at(3 * SECOND));
    let done = vec![recorded(command, Fate::Done)];
    reduce(&mut model, snapshot(&[JUNIPER], done), at(3 * SECOND));

    let entry = model.commands.find(command).unwrap();
    assert_eq!(entry.standing, Standing::Recorded(Fate::Done));
    assert_eq!(entry.ended_at, Some(UnixMicros(3 * SECOND)));
}
