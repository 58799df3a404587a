// What a caller reads when something went wrong: what it is, and what to do.

const WORDS = {
  "insecure-page": ["This page is not secure", "Browsers give no microphone to a page without https. Open it with https:// in front, or on the server itself as http://localhost."],
  "old-browser": ["This browser cannot make calls", "Use a recent Chrome, Edge, Firefox or Safari."],
  "microphone-refused": ["The microphone is blocked", "Allow it for this page: by the icon in the address bar, or in the browser’s settings. Then call again."],
  "microphone-refused-in-frame": ["The microphone is blocked", "Allow it for this website by the icon in the address bar. Then call again."],
  "no-microphone": ["No microphone found", "Plug one in, or switch it on in your device’s settings. Then call again."],
  "microphone-busy": ["The microphone cannot be used", "Another program may be using it. Close that program, then call again."],
  "microphone-lost": ["The microphone is gone", "It was unplugged or switched off. Check it, then call again."],
  "server-unreachable": ["The server cannot be reached", "Check your connection to the internet, then call again."],
  "server-error": ["Something went wrong on our side", "Please call again in a moment."],
  "no-connection": ["No connection", "Sound could not get through. A firewall or VPN may be in the way: try another network."],
  "connection-lost": ["The connection broke", "Check your connection to the internet, then call again."],
  full: ["All our lines are busy", "Please call again in a few minutes."],
  "not-ready": ["We are not quite ready", "The line is just starting. Please call again in a moment."],
  draining: ["The line is closing for a moment", "Please call again in a few minutes."],
  "unknown-line": ["There is no such line", "Check the address of this page."],
  "closed-to-browsers": ["This line cannot be called from here", "If you work here, sign in first. Everybody else: please phone us."],
  "foreign-site": ["This page cannot call the line", "Reload the page and call again."],
  "too-many-calls": ["Too many calls from your network", "Please try again in an hour, or phone us."],
  "daily-limit": ["No more calls from the web today", "Please try again tomorrow, or phone us."],
};

/** `{title, advice}` for a CallTrouble; the server's own words where it has some for this caller. */
export function explain(trouble) {
  const [title, advice] = WORDS[trouble.code] ?? ["The call could not be made", trouble.detail || "Please call again in a moment."];
  return { title, advice: trouble.code === "full" && trouble.detail ? trouble.detail : advice };
}
