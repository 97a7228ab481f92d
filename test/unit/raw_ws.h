/*
 * raw_ws - the client's side of a WebSocket, byte by byte, on a socket of raw_http.h.
 *
 * Use:      raw_send() a request that ends with UPGRADE, receive_head(), then frames.
 * Owns:     what was received is static: one thing at a time, one thread.
 * Threads:  one.
 * Errors:   fewer bytes than wanted: the server has closed.
 * Not for:  frames of more than 125 bytes.
 */
#ifndef CTI_TEST_RAW_WS_H
#define CTI_TEST_RAW_WS_H

#include "test/unit/raw_http.h"

#define UPGRADE                                           \
	" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"  \
	"Connection: keep-alive, Upgrade\r\n"             \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n\r\n"
/* What has come, up to n bytes or the end. */
static inline struct str
receive(int fd, size_t n)
{
	static char text[RAW_MAX_BYTES];
	size_t have = 0;
	ssize_t got;

	while (have < n && (got = recv(fd, text + have, n - have, 0)) > 0)
		have += (size_t)got;
	return (struct str){ text, have };
}

/* Up to and with the end of the headers. */
static inline struct str
receive_head(int fd)
{
	static char text[4096];
	size_t n = 0;

	while (n < sizeof text - 1 && recv(fd, text + n, 1, 0) == 1) {
		n++;
		if (n >= 4 && memcmp(text + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	text[n] = '\0';
	return (struct str){ text, n };
}

/* A short masked frame. */
static inline void
send_frame(int fd, int first_byte, struct str payload)
{
	char bytes[2 + 4 + 125] = { (char)first_byte, (char)(0x80 | (int)payload.n), 1, 2, 3, 4 };

	for (size_t i = 0; i < payload.n; i++)
		bytes[6 + i] = (char)(payload.p[i] ^ (char)(1 + i % 4));
	(void)raw_send(fd, (struct str){ bytes, 6 + payload.n });
}

#endif
