/** What `of` makes of an object, made once and kept for as long as the object is; nobody may change either. */
export function oncePer<Key extends object, Value>(of: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = of(key);
    made.set(key, { value });
    return value;
  };
}
