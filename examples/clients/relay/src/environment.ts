import {
  Environment,
  Network,
  RecordSource,
  Store,
  type FetchFunction,
  type GraphQLResponse,
} from "relay-runtime";

/** Returns an environment, with a store of its own, for the owner of the token and the server at `url`. */
export function environment(url: string, token: string): Environment {
  const send: FetchFunction = async ({ text: query }, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: {
        Accept: "application/graphql-response+json",
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  return new Environment({
    network: Network.create(send),
    store: new Store(new RecordSource()),
  });
}
