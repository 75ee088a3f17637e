// Reads the OpenAPI document and writes it down for people.

const place = document.getElementById("reference");
const make = (tag, text, name) => {
  const it = document.createElement(tag);
  if (text) it.textContent = text;
  if (name) it.className = name;
  return it;
};

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return [].concat(schema.type || "anything").join(" or ");
}

const answer = await fetch("/api/v1/openapi.json");
if (answer.ok) {
  const document_ = await answer.json();
  place.replaceChildren();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const article = make("article", "", "operation");
      const head = make("h2");
      head.append(make("code", `${method.toUpperCase()} ${path}`));
      article.append(head, make("p", operation.summary));
      if (operation.parameters?.length) {
        const list = make("dl");
        for (const it of operation.parameters) {
          list.append(make("dt", it.name), make("dd", `${typeOf(it.schema)}: ${it.description || ""}`));
        }
        article.append(list);
      }
      article.append(make("p", `Needs the scope ${operation["x-scope"]}.`, "faint"));
      place.append(article);
    }
  }
  const heading = make("h2", "Forms");
  place.append(heading);
  for (const [name, schema] of Object.entries(document_.components.schemas)) {
    const details = make("details");
    details.append(make("summary", name), make("p", schema.description || ""));
    const list = make("dl");
    for (const [field, it] of Object.entries(schema.properties || {})) {
      list.append(make("dt", field), make("dd", `${typeOf(it)}${it.description ? `: ${it.description}` : ""}`));
    }
    details.append(list);
    place.append(details);
  }
}
