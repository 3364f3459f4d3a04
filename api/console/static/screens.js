// Every screen: its address, its name, where it stands in the navigation, and the file that shows it.
// `menu`: the group in the navigation; without it a screen is reached from another one. `key`: g and this key go there.

export const SCREENS = [
  { path: "/", title: "Overview", menu: "", icon: "overview", key: "o", load: () => import("./screens/overview.js") },
  { path: "/investigate", title: "Investigate", menu: "", icon: "investigate", key: "i", load: () => import("./screens/investigate.js") },
  { path: "/alerts", title: "Alerts", menu: "", icon: "alerts", key: "a", load: () => import("./screens/alerts.js") },
  { path: "/alerts/:id", title: "Alert", within: "/alerts", load: () => import("./screens/alert.js") },
  { path: "/resource", title: "Resource", within: "/investigate", load: () => import("./screens/resource.js") },
  { path: "/policies", title: "Policies", menu: "Govern", icon: "policies", key: "p", load: () => import("./screens/policies.js") },
  { path: "/policies/new", title: "New policy", within: "/policies", load: () => import("./screens/policy.js") },
  { path: "/policies/:id", title: "Policy", within: "/policies", load: () => import("./screens/policy.js") },
  { path: "/rules", title: "Alert rules", menu: "Govern", icon: "rules", key: "r", load: () => import("./screens/rules.js") },
  { path: "/rules/new", title: "New alert rule", within: "/rules", load: () => import("./screens/rule.js") },
  { path: "/rules/:id", title: "Alert rule", within: "/rules", load: () => import("./screens/rule.js") },
  { path: "/templates", title: "Templates", menu: "Govern", icon: "templates", key: "t", load: () => import("./screens/templates.js") },
  { path: "/templates/new", title: "New template", within: "/templates", load: () => import("./screens/template.js") },
  { path: "/templates/:id", title: "Template", within: "/templates", load: () => import("./screens/template.js") },
  { path: "/settings/integrations", title: "Integrations", menu: "Settings", icon: "integrations", key: "n", load: () => import("./screens/integrations.js") },
  { path: "/settings/integrations/new", title: "Add an integration", within: "/settings/integrations", load: () => import("./screens/integration.js") },
  { path: "/settings/integrations/new/:direction/:type", title: "New integration", within: "/settings/integrations", load: () => import("./screens/integration.js") },
  { path: "/settings/integrations/:direction/:id", title: "Integration", within: "/settings/integrations", load: () => import("./screens/integration.js") },
  { path: "/accounts", title: "Accounts", menu: "Settings", icon: "accounts", key: "c", load: () => import("./screens/accounts.js") },
  { path: "/letters", title: "Dead letters", menu: "Settings", icon: "letters", key: "d", load: () => import("./screens/letters.js") },
  { path: "/letters/:id", title: "Dead letter", within: "/letters", load: () => import("./screens/letters.js") },
  { path: "/snapshots", title: "Snapshots", menu: "Settings", icon: "snapshots", key: "s", load: () => import("./screens/snapshots.js") },
  { path: "/users", title: "Users and keys", menu: "Settings", icon: "users", key: "u", load: () => import("./screens/users.js") },
  { path: "/log", title: "Audit log", menu: "Settings", icon: "log", key: "l", load: () => import("./screens/log.js") },
];
