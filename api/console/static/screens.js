// Every screen: its address, its name, where it stands in the navigation, and the file that shows it.
// `menu`: the group in the navigation; without it a screen is reached from another one. `key`: g and this key go there.

export const SCREENS = [
  { path: "/", title: "Overview", menu: "", icon: "overview", key: "o", load: () => import("./screens/overview.js") },
  { path: "/investigate", title: "Investigate", menu: "", icon: "investigate", key: "i", load: () => import("./screens/investigate.js") },
  { path: "/alerts", title: "Alerts", menu: "", icon: "alerts", key: "a", load: () => import("./screens/alerts.js") },
  { path: "/alerts/:id", title: "Alert", within: "/alerts", load: () => import("./screens/alert.js") },
  { path: "/resource", title: "Resource", within: "/investigate", load: () => import("./screens/resource.js") },
];
