from serving.process.channel import channels


def test_messages_arrive_whole_and_in_order() -> None:
    one, other = channels()
    one.send({"event": "ready", "seconds": 1.5})
    one.send({"event": "prepared", "text": "ü\n"})
    assert list(other.receive()) == [{"event": "ready", "seconds": 1.5}, {"event": "prepared", "text": "ü\n"}]
    assert list(other.receive()) == []
    one.socket.send(b'{"event": ')
    assert list(other.receive()) == []
    one.socket.send(b'"late"}\n')
    assert list(other.receive()) == [{"event": "late"}]
    one.close()
    assert list(other.receive()) == []
    assert other.closed
    other.send({"event": "unheard"})
    other.close()
