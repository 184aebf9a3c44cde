from pcdet_kd.cli.demo import main

if __name__ == '__main__':
    raise SystemExit(main())
