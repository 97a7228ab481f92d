// Reads a JSON array of Kubernetes objects; prints a line for each that its API's schema refuses.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const models = pathToFileURL(`${process.argv[2]}/kubernetes-models/`);

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
	const name = `${object.kind} ${object.metadata.name}`;
	try {
		const kinds = await import(new URL(`${object.apiVersion}/index.js`, models));
		new kinds[object.kind](object).validate();
	} catch (error) {
		console.log(`${name}: ${error.message}`);
	}
}
