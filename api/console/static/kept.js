// What a person chose, kept in this browser: theme, columns, page size. Nothing secret.

export function kept(name, otherwise) {
  try {
    const text = localStorage.getItem(`tidegate.${name}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`tidegate.${name}`, JSON.stringify(value));
  } catch {
    // private windows may refuse: the choice lasts as long as the page
  }
}
