//! Connections that hold so little that a reader who stops is felt at once, and not after megabytes that the system keeps for it.

use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use crate::http::tests::house::House;

const SMALL: u32 = 4 * 1024;

fn small() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(SMALL).unwrap();
    socket.set_recv_buffer_size(SMALL).unwrap();
    socket
}

pub(super) fn listen(house: &House) -> SocketAddr {
    let socket = small();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    house.listen_on(socket.listen(16).unwrap())
}

pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    small().connect(address).await.unwrap()
}
