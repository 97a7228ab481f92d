"use strict";
/*
 * Calls of a CTI server, complete and live: read the list, then follow the changes, and go on from
 * the last cursor after every break. No dependencies; see docs/live.md for the protocol.
 *
 *     const live = new LiveCalls({ url, key, onCall, onState, onGap });
 *     live.start();
 *     …
 *     live.stop();
 *
 * A key in a page is seen by whoever opens the page. Let your own server keep the key and fetch the
 * tickets (POST /api/ws-ticket), or give pages for strangers a live token.
 */
class LiveCalls {
	constructor({ url, key, onCall, onState = () => {}, onGap = () => {} }) {
		this.url = url.replace(/\/+$/, "");
		this.key = key;
		this.onCall = onCall;
		this.onState = onState;
		this.onGap = onGap;
		this.cursor = null; // behind the last change that was handled
		this.seen = 0; // changes
		this.failures = 0; // attempts to connect since the last success
		this.socket = null;
		this.stopped = false;
	}

	start() {
		this.stopped = false;
		this.connect();
	}

	stop() {
		this.stopped = true;
		clearTimeout(this.timer);
		this.socket?.close(1000);
		this.onState("stopped");
	}

	async request(method, path) {
		const answer = await fetch(this.url + path, { method, headers: { "x-app-api-key": this.key } });
		const body = await answer.json();
		if (!answer.ok) throw new Error(`${answer.status}: ${body.detail || body.error}`);
		return body;
	}

	/* The cursor first: what changes while the list is read comes again, and is shown once. */
	async readList() {
		const { next_cursor: place } = await this.request("GET", "/api/events");
		let cursor = "";
		do {
			const page = await this.request("GET", `/api/calls?limit=500&total=false&cursor=${cursor}`);
			page.calls.forEach((call) => this.onCall(call));
			cursor = page.next_cursor;
		} while (cursor);
		this.cursor = place;
	}

	async connect() {
		this.onState("connecting");
		try {
			if (this.cursor === null) await this.readList();
			const { url } = await this.request("POST", "/api/ws-ticket");
			if (!this.stopped) this.open(url);
		} catch (error) {
			this.retry(error.message);
		}
	}

	open(url) {
		const socket = new WebSocket(url);
		this.socket = socket;
		this.following = false;
		socket.onopen = () => socket.send(JSON.stringify({
			type: "subscribe",
			types: ["call.started", "call.updated", "call.ended"],
			after: this.cursor,
		}));
		socket.onmessage = (event) => {
			if (socket === this.socket) this.handle(JSON.parse(event.data));
		};
		socket.onclose = (event) => {
			if (socket !== this.socket || this.stopped) return;
			if (event.code === 4401 || event.code === 4403) this.onState(`refused: ${event.reason}`);
			else this.retry(event.reason || `closed with ${event.code}`);
		};
	}

	handle({ type, cursor, data }) {
		if (type === "ready") {
			// Only what follows the answer to our own subscribe is in order behind our cursor.
			this.following = this.following || data.subscribed;
			if (this.following) {
				this.failures = 0;
				this.onState("live");
			}
			return;
		}
		if (type === "error") {
			this.onState(`error: ${data.error}`);
			return;
		}
		if (!this.following) return;
		this.cursor = cursor;
		if (type === "resync") {
			this.onGap(data.reason);
			this.readList().catch((error) => this.retry(error.message));
			return;
		}
		this.seen += 1;
		this.onCall(data);
		this.onState("live");
	}

	/* After a restart all clients come back: each at a moment of its own. */
	retry(why) {
		if (this.stopped) return;
		const left = this.socket; // open still, if a list could not be read behind a gap
		this.socket = null;
		left?.close(1000);
		const wait = Math.min(30000, 500 * 2 ** this.failures) * (0.5 + Math.random() / 2);
		this.failures += 1;
		this.onState(`reconnecting: ${why}`);
		this.timer = setTimeout(() => this.connect(), wait);
	}
}
