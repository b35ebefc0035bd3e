import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { afterEach, describe, expect, it } from 'vitest';

/** The sample image by itself, on the engine, without a cluster: rolling updates without a lost request rest on it. */
describe('the sample image', () => {
  let container: StartedTestContainer | undefined;
  afterEach(async () => {
    await container?.stop();
    container = undefined;
  });

  const start = async () => {
    container = await new GenericContainer('wherry/echo:1')
      .withExposedPorts(8080)
      .withEnvironment({ NODE_NAME: 'test-node' })
      .withWaitStrategy(Wait.forHttp('/healthz', 8080).forStatusCode(200))
      .start();
    return { url: `http://${container.getHost()}:${container.getMappedPort(8080)}`, started: container };
  };

  it('says who answers', async () => {
    const { url } = await start();
    expect(await (await fetch(url)).text()).toMatch(
      /^Hello from \S+ \(\d+\.\d+\.\d+\.\d+\) on test-node, version 1\n$/,
    );
  });

  it('answers on while it is being stopped, and sends its clients away', async () => {
    const { url, started } = await start();
    const stopping = started.stop({ timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const [health, answer] = await Promise.all([fetch(`${url}/healthz`), fetch(url)]);
    expect(health.status).toBe(503);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    await answer.text();
    await stopping;
    container = undefined;
  });
});
