import { fill } from "../dom.js";
import { heading, waiting } from "../states.js";

export async function show({ root }) {
  fill(root, heading("Soon"), waiting());
}
