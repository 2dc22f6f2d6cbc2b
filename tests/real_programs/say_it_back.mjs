// A provider that answers with the last message it was asked, and tells how many there were.
export default class SayItBack {
  id() {
    return "say-it-back";
  }

  async callApi(prompt) {
    const messages = JSON.parse(prompt);
    return { output: messages.at(-1).content, metadata: { roles: messages.map((message) => message.role) } };
  }
}
