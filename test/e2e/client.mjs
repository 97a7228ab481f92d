// A client as a web developer writes it: node client.mjs URL KEY. Prints what it saw as JSON.

const [url, key] = process.argv.slice(2);
const get = (path, headers = {}) =>
	fetch(url + path, { headers: { "x-app-api-key": key, Origin: "https://app.example", ...headers } });

const together = await Promise.all(
	Array.from({ length: 20 }, () => get("/api/messages").then((answer) => answer.text().then(() => answer.status))));
const list = await get("/api/calls");
const unknown = await get("/api/calls?nope=1");
const refused = await get("/api/calls", { "x-app-api-key": "nobody" });

console.log(JSON.stringify({
	together,
	list: await list.json(),
	allowed: list.headers.get("access-control-allow-origin"),
	unknown: {
		status: unknown.status,
		type: unknown.headers.get("content-type"),
		named: (await unknown.json()).detail.includes("nope"),
	},
	refused: refused.status,
}));
